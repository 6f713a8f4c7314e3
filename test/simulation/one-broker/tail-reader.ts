import { ErrorCode } from '../../../src/protocol/everything.ts'
import type { Isolation } from '../../../src/testing/history/index.ts'
import { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import { listOffset, readOnce } from './reading.ts'
import type { World } from './world.ts'

/** Follows one partition from its beginning, without a group. */
export class TailReader {
  readonly #world: World
  readonly #peer: Peer
  readonly #place: { readonly topic: string; readonly partition: number; readonly isolation: Isolation }

  constructor(world: World, name: string, place: { topic: string; partition: number; isolation: Isolation }) {
    this.#world = world
    this.#peer = new Peer(world, name)
    this.#place = place
  }

  async run(): Promise<void> {
    const world = this.#world
    const { topic, partition, isolation } = this.#place
    let position = 0
    let seeks = true
    while (!world.isEnding) {
      const where = { ...this.#place, offset: position, maxBytes: world.oneOf([1, 200, 1 << 16]), maxWaitMs: 300 }
      const reading = await readOnce(world, this.#peer, where).catch(ignoreUnavailable)
      if (reading?.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
        const timestamp = position > reading.highWatermark && reading.highWatermark >= 0 ? -1 : -2
        position = (await listOffset(this.#peer, this.#place, timestamp).catch(ignoreUnavailable)) ?? position
        seeks = true
      } else if (reading?.errorCode === 0) {
        const records = reading.records.map(({ offset, epoch, value }) => ({ offset, epoch, value }))
        const poll = { consumer: this.#peer.name, partition: `${topic}-${partition}`, isolation, position, seeks }
        world.history.note({ kind: 'poll', ...poll }, { records, next: reading.next })
        position = reading.next
        seeks = false
      }
      await world.sleep(world.random.below(200))
    }
    this.#peer.close()
  }
}
