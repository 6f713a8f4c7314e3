import type { DiskOperation } from '../../../src/platform/index.ts'
import type { World } from './world.ts'

/** What a fault is called in the counts, and how often it is chosen. */
const FAULTS = [
  ['crash', 6],
  ['stop', 1],
  ['cut', 3],
  ['slow', 2],
  ['full disk', 1],
  ['failing disk', 2],
  ['clock jump', 1],
] as const

/** How far the wall clock is set forward or back. */
export const LONGEST_JUMP_MS = 5_000

/** Lets the machine, the network, the disk and the clock do what they do at the worst moment. */
export class Chaos {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async run(): Promise<void> {
    const world = this.#world
    const { faultEveryMs } = world.settings
    for (;;) {
      await world.sleep(world.random.below(2 * faultEveryMs))
      if (world.isEnding) return
      await this.#strike(drawn(world))
    }
  }

  async #strike(fault: (typeof FAULTS)[number][0]): Promise<void> {
    const world = this.#world
    world.line(`fault: ${fault}`)
    if (fault === 'crash') await world.crash(world.random.below(1_500))
    else if (fault === 'stop') await world.restart()
    else {
      world.count(fault)
      await this.#disturb(fault)
    }
  }

  async #disturb(fault: 'cut' | 'slow' | 'full disk' | 'failing disk' | 'clock jump'): Promise<void> {
    const world = this.#world
    const { random } = world
    if (fault === 'cut') world.broker.network.cut(() => random.below(2) === 0)
    else if (fault === 'clock jump') {
      world.lookAtClock()
      world.clock.jumpWallClock(random.below(2 * LONGEST_JUMP_MS) - LONGEST_JUMP_MS)
    } else if (fault === 'slow') {
      world.slowDown(world.oneOf([100, 1_000, 4_000]))
      await world.sleep(random.below(2_000))
      world.slowDown()
    } else {
      if (fault === 'full disk') world.hurtDisk(disk => disk.setCapacity(disk.usedBytes + random.below(3_000)))
      else this.#breakDisk()
      await world.sleep(random.below(2_000))
      // With one directory of several gone, the broker has to be started again.
      await world.crash(random.below(500))
    }
  }

  #breakDisk(): void {
    const { random, oneOf } = this.#world
    const operation = oneOf.call(this.#world, [
      'write',
      'write',
      'sync',
      'sync',
      'syncDirectory',
      'open',
      'rename',
      'truncate',
      'read',
    ]) as DiskOperation
    this.#world.line(`${operation} fails`)
    this.#world.hurtDisk(disk => disk.failNext({ operation, after: random.below(5), times: 1 + random.below(3) }))
  }
}

function drawn(world: World): (typeof FAULTS)[number][0] {
  let dice = world.random.below(FAULTS.reduce((sum, [, weight]) => sum + weight, 0))
  for (const [fault, weight] of FAULTS) {
    dice -= weight
    if (dice < 0) return fault
  }
  return FAULTS[0][0]
}
