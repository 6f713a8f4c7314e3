import { API_VERSIONS, UPDATE_FEATURES } from './apis.ts'
import { Peer } from './peer.ts'
import { ignoreUnavailable } from './plain-producer.ts'
import type { Settings } from './settings.ts'
import type { World } from './world.ts'

const TRANSACTION_VERSION = 'transaction.version'
const UPGRADE = 1
const SAFE_DOWNGRADE = 2

/** Raises `transaction.version` to 2, so that clients that know it go over to the second protocol, and perhaps lowers it again. */
export class FeatureOperator {
  readonly #world: World
  readonly #plan: NonNullable<Settings['secondProtocol']>
  readonly #peer: Peer
  /** Levels that the broker may have: one, or more where an answer was lost. */
  #possible: ReadonlySet<number> = new Set([0])

  constructor(world: World, plan: NonNullable<Settings['secondProtocol']>) {
    this.#world = world
    this.#plan = plan
    this.#peer = new Peer(world, 'feature operator')
  }

  async run(): Promise<void> {
    const world = this.#world
    const { afterMs, changesEveryMs } = this.#plan
    await world.sleep(afterMs)
    for (let isUp = true; !world.isEnding; isUp = !isUp) {
      await this.#finalize(isUp ? 2 : world.random.below(2))
      if (changesEveryMs === undefined) break
      await world.sleep(world.random.below(2 * changesEveryMs))
    }
    this.#peer.close()
  }

  /** What was answered stands, also in the next life of the broker, and whatever the power takes. */
  async #finalize(level: number): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      const before = await finalizedLevel(this.#peer)
      if (before !== undefined) {
        if (!this.#possible.has(before)) world.fail(`transaction.version is ${before}, not ${[...this.#possible]}`)
        this.#possible = new Set([before])
        if (before === level) return
        if (await this.#update(before, level)) return world.count(level > before ? 'level raised' : 'level lowered')
      }
      await world.sleep(50 + world.random.below(200))
    }
  }

  async #update(before: number, level: number): Promise<boolean> {
    const isDowngrade = level < before
    const update = { feature: TRANSACTION_VERSION, maxVersionLevel: level }
    const kind =
      this.#peer.version(UPDATE_FEATURES) === 0
        ? { allowDowngrade: isDowngrade }
        : { upgradeType: isDowngrade ? SAFE_DOWNGRADE : UPGRADE }
    this.#possible = new Set([before, level])
    const request = { timeoutMs: 1_000, featureUpdates: [{ ...update, ...kind }] }
    const answer = await this.#peer.call(UPDATE_FEATURES, request).catch(ignoreUnavailable)
    const isDone = answer?.errorCode === 0 && answer.results[0]?.errorCode === 0
    if (isDone) this.#possible = new Set([level])
    return isDone
  }
}

/** The level of `transaction.version` that a broker tells of; undefined where it does not answer. */
export async function finalizedLevel(peer: Peer): Promise<number | undefined> {
  const software = { clientSoftwareName: 'simulated', clientSoftwareVersion: '1' }
  const answer = await peer.call(API_VERSIONS, software).catch(ignoreUnavailable)
  if (answer?.errorCode !== 0) return undefined
  return answer.finalizedFeatures.find(({ name }) => name === TRANSACTION_VERSION)?.maxVersionLevel ?? 0
}
