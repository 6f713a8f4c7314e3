import { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import type { World } from './world.ts'

/** The longest that a request is under way that nobody waits for: some come before their transaction is over. */
const LATEST_MS = [20, 1_000]

/** Requests of a client that come on connections of their own, late, when it may have gone on. */
export class Latecomers {
  readonly #world: World
  readonly #name: string

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
  }

  /** Lets `ask` ask when it is time. What comes of it nobody waits for. */
  send(ask: (peer: Peer) => Promise<unknown>): void {
    const world = this.#world
    const peer = new Peer(world, `${this.#name} (late)`)
    void world
      .sleep(world.random.below(world.oneOf(LATEST_MS)))
      .then(() => ask(peer))
      .catch(ignoreUnavailable)
      .catch(error => world.fail(`${peer.name}: ${error.stack}`))
      .finally(() => peer.close())
  }
}
