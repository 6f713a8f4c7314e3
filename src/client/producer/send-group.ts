import type { Group } from './producer-batch.ts'
import type { BatchMetadata } from './record-input.ts'

/** What becomes of the records of one `sendBatch`: one promise for all of them. */
export class SendGroup implements Group {
  readonly done: Promise<readonly BatchMetadata[]>
  readonly #topic: string
  readonly #written: BatchMetadata[] = []
  #left: number
  #error: Error | undefined
  #resolve: (written: readonly BatchMetadata[]) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor(topic: string, count: number) {
    this.#topic = topic
    this.#left = count
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (count === 0) this.#resolve([])
  }

  written(partition: number, offset: number, count: number): void {
    this.#written.push({ topic: this.#topic, partition, offset, count })
    this.#settle(count)
  }

  failed(error: Error, count: number): void {
    this.#error ??= error
    this.#settle(count)
  }

  #settle(count: number): void {
    this.#left -= count
    if (this.#left > 0) return
    if (this.#error === undefined) this.#resolve(this.#written)
    else this.#reject(this.#error)
  }
}
