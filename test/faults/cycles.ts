/** How often a fault is repeated: enough for each change, or what `FAULT_CYCLES` asks for. */

/** What the environment says in `FAULT_CYCLES`, else the number given here. */
export function cycles(usual: number): number {
  const { FAULT_CYCLES } = process.env
  if (FAULT_CYCLES === undefined) return usual
  const asked = Number(FAULT_CYCLES)
  if (!Number.isInteger(asked) || asked < 1) throw new Error(`FAULT_CYCLES=${FAULT_CYCLES} is no count from 1 on`)
  return asked
}

/** Puts what a run did into the test's report: that the fault fired, and how much work was acknowledged. */
export function report(promise: string, counts: Readonly<Record<string, number>>): void {
  const shown = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  console.log(`# ${promise}: ${shown.join(', ')}`)
}
