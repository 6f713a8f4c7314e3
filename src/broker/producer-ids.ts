/** Hands out producer ids from blocks that the controller gives, so that no id is given twice in a cluster. */
export class ProducerIds {
  readonly #allocate: () => Promise<{ readonly firstProducerId: number; readonly size: number }>
  #next = 0
  #end = 0
  #allocating: Promise<void> | undefined

  /** `allocate` reserves the next block: the controller's. */
  constructor(allocate: () => Promise<{ readonly firstProducerId: number; readonly size: number }>) {
    this.#allocate = allocate
  }

  /** An id that nobody has. */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#refill()
      await this.#allocating
    }
    return this.#next++
  }

  async #refill(): Promise<void> {
    try {
      const { firstProducerId, size } = await this.#allocate()
      this.#next = firstProducerId
      this.#end = firstProducerId + size
    } finally {
      this.#allocating = undefined
    }
  }
}
