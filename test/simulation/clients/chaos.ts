import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../../src/metadata/index.ts'
import type { ClientWorld } from './client-world.ts'
import { FRONTS } from './settings.ts'

/** What can happen, and how often it is chosen. */
const FAULTS = [
  ['leader moves', 6],
  ['coordinator moves', 10],
  ['front down', 4],
  ['cut', 4],
  ['hang', 3],
  ['slow', 2],
  ['meddling', 14],
  ['late writes', 3],
  ['laggard', 2],
  ['crash', 3],
] as const

type Fault = (typeof FAULTS)[number][0]

/** Lets leaders, coordinators, connections and brokers come and go, until the world is ending. Then everything is well again. */
export class Chaos {
  readonly #world: ClientWorld

  constructor(world: ClientWorld) {
    this.#world = world
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      await world.sleep(world.random.below(2 * world.settings.faultEveryMs))
      if (world.isEnding) break
      const fault = this.#drawn()
      world.line(`fault: ${fault}`)
      await this.#strike(fault)
    }
    world.meddling = 0
    world.slowDown()
  }

  async #strike(fault: Fault): Promise<void> {
    const world = this.#world
    const { random } = world
    if (fault === 'crash') await world.crash(random.below(1_000))
    else if (fault === 'leader moves' || fault === 'coordinator moves') await this.#move(fault === 'coordinator moves')
    else {
      world.count(fault)
      await this.#disturb(fault)
    }
  }

  async #move(isCoordinator: boolean): Promise<void> {
    const { cluster, oneOf, random } = this.#world
    const partitions = cluster.partitions().filter(([topic]) => isCoordinatorTopic(topic) === isCoordinator)
    if (partitions.length === 0) return
    const [topic, partition] = oneOf.call(this.#world, partitions) as (typeof partitions)[number]
    await cluster.move(topic, partition, oneOf.call(this.#world, [0, 0, random.below(500)]) as number)
  }

  async #disturb(fault: Exclude<Fault, 'crash' | 'leader moves' | 'coordinator moves'>): Promise<void> {
    const world = this.#world
    const { cluster, network, random } = world
    if (fault === 'cut') network.cut(() => world.chance(2))
    else if (fault === 'hang') network.hang(random, 3, world.oneOf(['both ways', 'answers']))
    else if (fault === 'slow') {
      world.slowDown(world.oneOf([100, 500]))
      await world.sleep(random.below(1_000))
      world.slowDown()
    } else if (fault === 'meddling') {
      world.meddling = world.oneOf([3, 10])
      await world.sleep(random.below(1_500))
      world.meddling = 0
    } else if (fault === 'late writes') {
      world.areWritesLate = true
      await world.sleep(random.below(1_000))
      world.areWritesLate = false
    } else if (fault === 'laggard') {
      cluster.laggard = world.oneOf(FRONTS)
      await world.sleep(random.below(1_500))
      cluster.laggard = undefined
    } else {
      const front = world.oneOf(FRONTS)
      const moved = cluster.takeDown(front)
      network.cut(port => cluster.isDown(port - 9_100))
      await moved
      await world.sleep(random.below(1_500))
      cluster.bringUp(front)
    }
  }

  #drawn(): Fault {
    const { random, settings } = this.#world
    // Where something can be lost, it is to be lost.
    const isLossy = settings.durability === 'lossy'
    const faults = FAULTS.map(([fault, weight]) => [fault, fault === 'crash' && isLossy ? 40 : weight] as const)
    let dice = random.below(faults.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [fault, weight] of faults) {
      dice -= weight
      if (dice < 0) return fault
    }
    return FAULTS[0][0]
  }
}

const isCoordinatorTopic = (topic: string): boolean => topic === OFFSETS_TOPIC || topic === TRANSACTION_STATE_TOPIC
