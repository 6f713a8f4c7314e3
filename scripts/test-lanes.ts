/** Which files of a tier run beside its others, and how much of the processor each side gets. */

/** A second lane: its files run one after the other, while all other files of the tier do the same. */
export interface Lanes {
  /** Files of the second lane in their order, by the end of their path without `.test.js`. */
  readonly second: readonly string[]
  /** Whether the first lane gets the processor only where the second leaves it; both are alike when absent. */
  readonly firstYields?: boolean
}

/**
 * Tiers that have a second lane. In the others a file has the machine to itself: `faults` and `abuse` slow down disks, fill them, and
 * compare time and memory of a broker under attack with those of one that is left alone; `integration` is many small files.
 */
export const LANES: Readonly<Record<string, Lanes>> = {
  // Time is simulated in all of them, so that nothing that runs beside them changes what they see. `clients` and `one-broker` run
  // their seeds on all processors, these on one.
  simulation: {
    second: ['compaction-crash', 'log-crash', 'produce', 'log-settings', 'file-fuzz', 'transactions', 'request-fuzz'],
  },
  compat: {
    // Other people's suites and members of groups, which wait most of the time, by clocks of their own: they get the processor when
    // they want it. The libraries that the first of them builds the second needs as well.
    second: [
      'librdkafka',
      'librdkafka/suite',
      'node-rdkafka/e2e',
      'kafka-python/suite',
      'mixed-groups/classic',
      'mixed-groups/consumer-protocol',
      'group-protocol',
      'streams',
    ],
    firstYields: true,
  },
}

/** Parts the files of a tier: those that have the first lane, in the order given, and those of the second in that of {@link LANES}. */
export function lanesOf(tier: string, files: readonly string[]): { first: string[]; second: string[] } {
  const beside = LANES[tier]?.second ?? []
  const second = beside.map(name => {
    const file = files.find(path => path.endsWith(`/${tier}/${name}.test.js`))
    if (file === undefined) throw new Error(`${tier} has no ${name}.test.js, which scripts/test-lanes.ts names`)
    return file
  })
  return { first: files.filter(file => !second.includes(file)), second }
}
