/** Power cuts at random moments: what was acknowledged is there, and no transaction is there in part. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, type Random, SimulatedClock, seededRandom, silentLogger } from '../platform/index.ts'
import { EmbeddedZooKeeper, type ZooKeeper } from './index.ts'

const SEEDS = Number(process.env.SEEDS ?? 300)
const ONLY_SEED = process.env.SEED

/** What the test knows of one pair of nodes that are always written together. */
interface Pair {
  acknowledged: number
  attempted: number
}

const PAIRS = 8

async function life(disk: MemoryDisk, random: Random, pairs: Pair[], clock: SimulatedClock): Promise<MemoryDisk> {
  const zooKeeper = await EmbeddedZooKeeper.open({
    disk,
    clock,
    logger: silentLogger,
    directory: '/zk',
    snapshotAfterBytes: 3_000,
  })
  const zk = zooKeeper.connect()
  await checkPairs(zk, pairs)
  const cut = random.below(60)
  const writes: Promise<unknown>[] = []
  for (let step = 0; step < cut; step += 1) {
    writes.push(write(zk, random, pairs).catch(() => undefined))
    if (random.next() < 0.3) await Promise.resolve()
    if (random.next() < 0.2) await clock.settle()
  }
  return disk.crash({ random, garbage: random.next() < 0.3 ? 0.5 : 0 })
}

async function write(zk: ZooKeeper, random: Random, pairs: Pair[]): Promise<void> {
  const number = random.below(PAIRS)
  const pair = pairs[number]!
  pair.attempted += 1
  const value = pair.attempted
  const data = Buffer.alloc(4 + random.below(600))
  data.writeInt32BE(value)
  const paths = [`/left${number}`, `/right${number}`]
  await zk.multi([
    ...paths.map(path => ({ type: 'setData' as const, path, data })),
    { type: 'create', path: `/seq${number}/n`, data: null, mode: 'persistent_sequential' },
    { type: 'create', path: `/seq${number}/e`, data: null, mode: 'ephemeral_sequential' },
  ])
  pair.acknowledged = value
}

async function checkPairs(zk: ZooKeeper, pairs: Pair[]): Promise<void> {
  for (const [number, pair] of pairs.entries()) {
    const [left, right, sequence] = await Promise.all([
      valueAt(zk, `/left${number}`),
      valueAt(zk, `/right${number}`),
      zk.getChildren(`/seq${number}`).catch(() => undefined),
    ])
    if (left === undefined) {
      assert.equal(pair.acknowledged, 0)
      const paths = [`/left${number}`, `/right${number}`, `/seq${number}`]
      const data = Buffer.alloc(4)
      await zk.multi(paths.map(path => ({ type: 'create', path, data, mode: 'persistent' })))
      continue
    }
    assert.equal(left, right, 'both nodes of a transaction or none')
    assert.ok(left >= pair.acknowledged, `value ${left} was acknowledged as ${pair.acknowledged}`)
    assert.ok(left <= pair.attempted)
    assert.equal(sequence?.children.filter(name => name.startsWith('e')).length, 0, 'ephemerals of the dead are gone')
    assert.equal(sequence?.children.length, left, 'one sequential node for every transaction that counts')
    // A write that was not acknowledged may be there or not; from here on it is settled.
    pair.attempted = left
    pair.acknowledged = left
  }
}

async function valueAt(zk: ZooKeeper, path: string): Promise<number | undefined> {
  const read = await zk.getData(path).catch(() => undefined)
  return read && Buffer.from(read.data ?? []).readInt32BE(0)
}

test(`acknowledged writes survive power cuts whole, ${SEEDS} seeds`, async () => {
  const seeds = ONLY_SEED ? [Number(ONLY_SEED)] : Array.from({ length: SEEDS }, (_, index) => index)
  for (const seed of seeds) {
    const random = seededRandom(seed)
    const clock = new SimulatedClock()
    const pairs = Array.from({ length: PAIRS }, () => ({ acknowledged: 0, attempted: 0 }))
    let disk = new MemoryDisk()
    try {
      for (let lives = 0; lives < 4; lives += 1) {
        disk = await life(disk, random, pairs, clock)
        // A cut in the middle of a recovery as well.
        if (random.next() < 0.5) disk = await interruptedRecovery(disk, random, clock)
      }
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error })
    }
  }
})

async function interruptedRecovery(disk: MemoryDisk, random: Random, clock: SimulatedClock): Promise<MemoryDisk> {
  const opening = EmbeddedZooKeeper.open({ disk, clock, logger: silentLogger, directory: '/zk' })
  opening.catch(() => undefined)
  for (let turns = random.below(12); turns > 0; turns -= 1) await Promise.resolve()
  const survivor = disk.crash({ random })
  await opening.catch(() => undefined)
  return survivor
}
