/** What a median may grow by before memory counts as growing: more than garbage collection leaves by chance. */
const MAX_GROWTH = 1.15
const MAX_GROWTH_BYTES = 8 * 2 ** 20
/** Fewer samples say nothing. */
const ENOUGH = 9

/** Samples of a process's memory, which is flat when those of the last third are as those of the one before. */
export class FlatMemory {
  readonly #what: string
  readonly #samples: number[] = []

  constructor(what: string) {
    this.#what = what
  }

  /** A sample, in bytes. */
  note(bytes: number): void {
    this.#samples.push(bytes)
  }

  get last(): number {
    return this.#samples.at(-1) ?? 0
  }

  /** What is wrong; nothing where memory is flat, or there is too little to tell. */
  growth(): string[] {
    const third = Math.floor(this.#samples.length / 3)
    if (this.#samples.length < ENOUGH) return []
    const [before, after] = [median(this.#samples.slice(third, 2 * third)), median(this.#samples.slice(-third))]
    console.log(`${this.#what}: ${this.#samples.map(mebibytes).join(' ')} MiB`)
    if (after <= before * MAX_GROWTH || after <= before + MAX_GROWTH_BYTES) return []
    return [`${this.#what} grew from ${mebibytes(before)} to ${mebibytes(after)} MiB`]
  }
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}
