import { ConfigError } from '../../../config/index.ts'
import type { PartitionAssignor } from './assignor.ts'
import { rangeAssignor } from './range-assignor.ts'
import { roundRobinAssignor } from './round-robin-assignor.ts'
import { cooperativeStickyAssignor, stickyAssignor } from './sticky-assignors.ts'

const JAVA_PACKAGE = 'org.apache.kafka.clients.consumer.'
const JAVA_NAMES: Readonly<Record<string, PartitionAssignor>> = {
  RangeAssignor: rangeAssignor,
  RoundRobinAssignor: roundRobinAssignor,
  StickyAssignor: stickyAssignor,
  CooperativeStickyAssignor: cooperativeStickyAssignor,
}

/** The default of kafkajs, as its members name it: for a group that moves from it member by member. */
const kafkajsRoundRobin: PartitionAssignor = { ...roundRobinAssignor, name: 'RoundRobinAssigner' }

/**
 * The assignors that `partition.assignment.strategy` names, by their own names or those of Java's classes.
 * @throws ConfigError for a name that nobody has
 */
export function assignorsNamed(names: readonly string[]): PartitionAssignor[] {
  const known = [...Object.values(JAVA_NAMES), kafkajsRoundRobin]
  return names.map(name => {
    const found = JAVA_NAMES[name.replace(JAVA_PACKAGE, '')] ?? known.find(assignor => assignor.name === name)
    if (found) return found
    const there = known.map(assignor => assignor.name).join(', ')
    throw new ConfigError(`there are ${there}; give others as the option assignors`, {
      key: 'partition.assignment.strategy',
      value: name,
    })
  })
}
