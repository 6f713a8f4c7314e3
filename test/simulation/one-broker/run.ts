import { seededRandom } from '../../../src/platform/index.ts'
import { checkHistory } from '../../../src/testing/history/index.ts'
import { driven } from '../../../src/testing/simulated-broker.ts'
import { Administrator } from './administrator.ts'
import { FIND_COORDINATOR, METADATA } from './apis.ts'
import { audit } from './audit.ts'
import { Chaos, LONGEST_JUMP_MS } from './chaos.ts'
import { FeatureOperator } from './feature-operator.ts'
import { GroupMember, StaticMember } from './group-member.ts'
import { IdempotentProducer } from './idempotent-producer.ts'
import { checkInvariants } from './invariants.ts'
import { Peer } from './peer.ts'
import { PlainProducer } from './plain-producer.ts'
import { SessionReader } from './session-reader.ts'
import { drawSettings, SESSION_TIMEOUT_MS, TOPIC, TRANSACTION_TIMEOUT_MS, withSecondProtocol } from './settings.ts'
import { TailReader } from './tail-reader.ts'
import { createTopics } from './topics.ts'
import { TransactionalProducer, Transformer } from './transactional-producer.ts'
import { World } from './world.ts'

/** Somebody who does something until the world is ending. */
interface Actor {
  run(): Promise<void>
}

/** Simulated time from one look at the broker to the next. */
const STEP_MS = 50

/** In so much time everybody has come to an end, or never will. */
const PATIENCE_MS = 120_000

const GROUP = 'readers'

/** Seeds of what is drawn apart, far from those of runs. */
const BESIDE_SEEDS = 1 << 30

/** Runs one seed: a broker, its clients and what befalls them. What is wrong is in `failures` then. */
export async function runSeed(seed: number): Promise<World> {
  const aside = seededRandom(seed + BESIDE_SEEDS)
  const world = new World(seed, random => withSecondProtocol(drawSettings(random), aside))
  try {
    await prepare(world)
    await live(world)
    await settle(world)
    if (world.failures.length === 0) await driven(world.clock, audit(world, [GROUP]))
    const isCompacted = (partition: string): boolean => partition.startsWith(TOPIC.keyed)
    const isExpired = (partition: string, value: string): boolean => mayExpire(world, partition, value)
    for (const { verdict, text } of checkHistory(world.history.events, { isCompacted, isExpired }))
      world.fail(`${verdict}: ${text}`)
  } catch (error) {
    world.fail(`${(error as Error).stack}`)
  } finally {
    if (!world.broker.isOver) world.broker.end('kill')
  }
  return world
}

/** Whether retention may have taken a record. */
function mayExpire(world: World, partition: string, value: string): boolean {
  const { retention } = world.settings
  if (!partition.startsWith(TOPIC.short)) return false
  return 'bytes' in retention || world.wasOlderThan(value, retention.ms)
}

async function prepare(world: World): Promise<void> {
  const created = await createTopics(world)
  // Whoever asks first for a coordinator makes the topic of its kind.
  const peer = new Peer(world, 'preparer')
  for (const keyType of [0, 1]) await driven(world.clock, peer.call(FIND_COORDINATOR, { key: GROUP, keyType }))
  const { topics: made } = await driven(
    world.clock,
    peer.call(METADATA, { topics: created.map(({ name }) => ({ name })) }),
  )
  for (const { name, topicId } of made) world.topicMade(name!, topicId)
  peer.close()
}

/** Everybody does what he does, until each has ended it. */
async function live(world: World): Promise<void> {
  const running = new Set<Promise<void>>()
  for (const actor of drawActors(world)) {
    const run = actor.run().catch(error => world.fail(`${actor.constructor.name}: ${error.stack}`))
    running.add(run)
    void run.then(() => running.delete(run))
  }
  for (let ms = 0; running.size > 0 && world.failures.length === 0; ms += STEP_MS) {
    if (ms >= world.settings.busyMs) world.isEnding = true
    if (ms >= world.settings.busyMs + PATIENCE_MS) world.fail('clients never come to an end')
    await world.clock.advance(STEP_MS)
    checkInvariants(world)
  }
}

/** Faults are over; what was begun comes to its end by itself; perhaps the broker is started once more. */
async function settle(world: World): Promise<void> {
  world.slowDown(0)
  world.healDisk()
  if (world.broker.isOver) await world.clock.advance(2_000)
  await driven(world.clock, world.broker.ready)
  // The clock was perhaps set back, and timeouts are told by it.
  await world.clock.advance(2 * TRANSACTION_TIMEOUT_MS + 2 * SESSION_TIMEOUT_MS + LONGEST_JUMP_MS)
  checkInvariants(world)
  if (world.chance(2)) {
    await driven(world.clock, world.crash(0))
    await driven(world.clock, world.broker.ready)
    await world.clock.advance(1_000)
  }
}

function drawActors(world: World): Actor[] {
  const { random, settings } = world
  const several = (most: number, make: (number: number) => Actor): Actor[] =>
    Array.from({ length: random.below(most + 1) }, (_, number) => make(number))
  const isolation = (): 'uncommitted' | 'committed' => world.oneOf(['uncommitted', 'committed'])
  const { protocol } = settings
  const group = {
    group: GROUP,
    topic: TOPIC.plain,
    partitions: 2,
    protocol,
    isolation: isolation(),
    isTransactional: world.chance(3),
  }
  const actors: Actor[] = [
    ...several(2, number => new PlainProducer(world, `plain${number}`)),
    ...several(2, number => new IdempotentProducer(world, `idempotent${number}`)),
    ...several(3, number => new GroupMember(world, `member${number}`, group)),
    ...several(1, number => new StaticMember(world, `static${number}`, group)),
    ...several(1, number => new SessionReader(world, `session${number}`, isolation())),
    ...(world.chance(4) ? [] : [new Administrator(world)]),
    ...several(2, number => {
      const place = world.oneOf([
        { topic: TOPIC.transactional, partition: 0 },
        { topic: TOPIC.output, partition: 0 },
        { topic: TOPIC.keyed, partition: 0 },
        { topic: TOPIC.short, partition: 0 },
      ])
      return new TailReader(world, `tail${number}`, { ...place, isolation: isolation() })
    }),
    ...several(2, number => new TransactionalProducer(world, `id${number}`)),
    ...several(1, () => new Transformer(world)),
    ...(settings.secondProtocol === undefined ? [] : [new FeatureOperator(world, settings.secondProtocol)]),
  ]
  if (actors.length === 0) actors.push(new IdempotentProducer(world, 'idempotent'))
  return [...actors, new Chaos(world)]
}
