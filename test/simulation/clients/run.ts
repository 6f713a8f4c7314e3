import { Admin, Consumer, type TopicPartition } from '../../../src/client/index.ts'
import { UpgradeType } from '../../../src/controller/index.ts'
import { TRANSACTION_VERSION } from '../../../src/metadata/index.ts'
import { checkHistory, type Isolation, type ReadRecord } from '../../../src/testing/history/index.ts'
import { driven } from '../../../src/testing/simulated-broker.ts'
import { FIND_COORDINATOR } from '../one-broker/apis.ts'
import { auditPartition } from '../one-broker/audit.ts'
import { checkInvariants } from '../one-broker/invariants.ts'
import { Peer } from '../one-broker/peer.ts'
import { createTopics } from '../one-broker/topics.ts'
import { Chaos } from './chaos.ts'
import { ClientWorld } from './client-world.ts'
import { GroupReader, type GroupSettings, readerOptions } from './group-reader.ts'
import { Onlooker } from './onlooker.ts'
import { RecordWriter } from './record-writer.ts'
import { SESSION_TIMEOUT_MS, TOPIC, TRANSACTION_TIMEOUT_MS } from './settings.ts'
import { TopicGrower } from './topic-grower.ts'
import { TransactionalWriter } from './transactional-writer.ts'
import { inputOf, outputOf, TRANSFORMERS, Transformer, transformersBy } from './transformer.ts'
import { visit } from './visitor.ts'

/** Somebody who does something until he is to come to an end. */
interface Actor {
  run(): Promise<void>
}

const ASSIGNORS = ['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const
const STEP_MS = 50
/** In so much time everybody has come to an end, or never will. */
const PATIENCE_MS = 120_000

type Contents = ReadonlyMap<string, Readonly<Record<Isolation, readonly ReadRecord[]>>>

/** Runs one seed: a cluster, clients of this project, and what befalls them. What is wrong is in `failures` then. */
export async function runSeed(seed: number): Promise<ClientWorld> {
  const world = new ClientWorld(seed)
  try {
    await prepare(world)
    await live(world)
    for (const { verdict, text } of checkHistory(world.history.events)) world.fail(`${verdict}: ${text}`)
  } catch (error) {
    world.fail(`${(error as Error).stack}`)
  } finally {
    if (!world.broker.isOver) world.broker.end('kill')
  }
  return world
}

async function prepare(world: ClientWorld): Promise<void> {
  for (const { name, topicId } of await createTopics(world)) world.topicMade(name, topicId)
  const peer = new Peer(world, 'preparer', 1)
  for (const keyType of [0, 1]) await driven(world.clock, peer.call(FIND_COORDINATOR, { key: 'any', keyType }))
  peer.close()
  const { levelRaised } = world.settings
  if (levelRaised === 'before') await driven(world.clock, raiseTransactionVersion(world))
  else if (levelRaised !== 'never')
    world.clock.schedule(levelRaised.afterMs, () => {
      // Its process may end meanwhile.
      raiseTransactionVersion(world).catch(error => world.line(`not raised: ${error}`))
    })
}

/** From now on transactions may go by the second protocol; those under way go on by the first. */
async function raiseTransactionVersion(world: ClientWorld): Promise<void> {
  const level = { feature: TRANSACTION_VERSION, maxVersionLevel: 2, upgradeType: UpgradeType.UPGRADE }
  // A broker that is away is not told.
  const results = (await world.broker.server?.services.controller.updateFeatures([level])) ?? []
  for (const { errorMessage } of results) {
    if (errorMessage !== null) world.fail(errorMessage)
    world.line('transactions may go by the second protocol')
    world.count('protocol raised')
  }
}

/** Writers come to an end first, then readers, who have to have read everything. */
async function live(world: ClientWorld): Promise<void> {
  const { groups, readers, writers } = drawActors(world)
  const reading = begin(world, readers)
  const writing = begin(world, [...writers, new Chaos(world)])
  await until(world, 'writers', ms => {
    if (ms >= world.settings.busyMs) world.isEnding = true
    return writing.size === 0
  })
  if (world.failures.length > 0) return
  await driven(world.clock, world.broker.ready)
  await world.clock.advance(TRANSACTION_TIMEOUT_MS + 2 * SESSION_TIMEOUT_MS)
  const contents = await driven(world.clock, read(world, [TOPIC.plain, TOPIC.transactional]))
  const missing = (): string[] => groups.flatMap(group => missingOf(world, group, contents))
  const { isStatic, morePartitions } = world.settings
  // A static leader who was away while partitions were added does not know that they were, nor does Java's: somebody comes.
  const latecomers =
    isStatic && morePartitions > 0 ? [new GroupReader(world, 'late', { ...groups[0]!, isStatic: false })] : []
  const late = begin(world, latecomers)
  await until(world, 'readers', () => missing().length === 0)
  if (missing().length > 0) return world.fail(`never worked on: ${missing().slice(0, 10)}`)
  world.isRead = true
  await until(world, 'members', () => reading.size + late.size === 0)
  if (world.failures.length > 0) return
  await driven(world.clock, check(world, groups, contents))
}

function begin(world: ClientWorld, actors: readonly Actor[]): Set<Promise<void>> {
  const running = new Set<Promise<void>>()
  for (const actor of actors) {
    const run = actor.run().catch(error => world.fail(`${actor.constructor.name}: ${error.stack}`))
    running.add(run)
    void run.then(() => running.delete(run))
  }
  return running
}

/** Lets time pass until something has come about. */
async function until(world: ClientWorld, who: string, isDone: (ms: number) => boolean): Promise<void> {
  for (let ms = 0; !isDone(ms) && world.failures.length === 0; ms += STEP_MS) {
    if (ms >= world.settings.busyMs + PATIENCE_MS) world.fail(`${who} never come to an end`)
    await world.clock.advance(STEP_MS)
    checkInvariants(world)
  }
}

function drawActors(world: ClientWorld) {
  const { random } = world
  const several = (least: number, most: number, make: (number: number) => Actor): Actor[] =>
    Array.from({ length: least + random.below(most - least + 1) }, (_, number) => make(number))
  const readersOf: GroupSettings = {
    group: 'readers',
    topics: world.oneOf([[TOPIC.plain], [TOPIC.plain, TOPIC.transactional]]),
    isolation: world.oneOf(['uncommitted', 'committed']),
    assignors: world.oneOf(ASSIGNORS),
    isStatic: world.settings.isStatic,
  }
  const transforming = transformersBy(world.oneOf(ASSIGNORS))
  const members = several(1, 3, number => new GroupReader(world, `member${number}`, readersOf))
  // Where the power may take what coordinators acknowledged, nothing is promised of transactions.
  const isLossy = world.settings.durability === 'lossy'
  const transformers = isLossy
    ? []
    : several(0, 2, number => new Transformer(world, `transformer${number}`, transforming))
  const writers = [
    ...several(0, 2, number => new RecordWriter(world, `idempotent${number}`, { isIdempotent: true })),
    ...several(0, 1, number => new RecordWriter(world, `plain${number}`, { isIdempotent: false })),
    ...(isLossy ? [] : several(0, 2, number => new TransactionalWriter(world, `txn${number}`, `id${random.below(2)}`))),
    ...several(0, 1, () => new Onlooker(world)),
    ...(world.settings.morePartitions > 0 ? [new TopicGrower(world)] : []),
  ]
  return {
    writers,
    readers: [...members, ...transformers],
    groups: transformers.length > 0 ? [readersOf, transforming] : [readersOf],
  }
}

/** Reads everything that is there, and writes it into the history. */
async function read(world: ClientWorld, topics: readonly string[]): Promise<Contents> {
  const peer = new Peer(world, 'auditor', 1)
  const contents = new Map<string, Readonly<Record<Isolation, readonly ReadRecord[]>>>()
  for (const topic of topics) {
    for (let partition = 0; partition < world.partitionsOf(topic); partition++) {
      const place = { topic, partition }
      contents.set(`${topic}-${partition}`, {
        uncommitted: await auditPartition(world, peer, { ...place, isolation: 'uncommitted' }),
        committed: await auditPartition(world, peer, { ...place, isolation: 'committed' }),
      })
    }
  }
  peer.close()
  return contents
}

/** What a group reads, by partition. */
function* partsOf(world: ClientWorld, { topics, isolation }: GroupSettings, contents: Contents) {
  for (const topic of topics) {
    for (let partition = 0; partition < world.partitionsOf(topic); partition++) {
      const where = `${topic}-${partition}`
      yield { topic, partition, where, records: contents.get(where)?.[isolation] ?? [] }
    }
  }
}

function missingOf(world: ClientWorld, group: GroupSettings, contents: Contents): string[] {
  const parts = [...partsOf(world, group, contents)]
  return parts.flatMap(({ where, records }) =>
    world
      .ledger(group.group)
      .missing(where, records)
      .map(({ value, offset }) => `${value} at ${offset} of ${where} by ${group.group}`),
  )
}

async function check(world: ClientWorld, groups: readonly GroupSettings[], contents: Contents): Promise<void> {
  for (const group of groups) {
    if (world.settings.durability !== 'lossy') {
      for (const { where, records } of partsOf(world, group, contents)) world.ledger(group.group).check(where, records)
    }
    if (group.group === TRANSFORMERS) await transformRest(world, group, contents)
    await finish(world, group)
  }
  if (groups.some(({ group }) => group === TRANSFORMERS)) await checkOutput(world, contents)
}

/** What was in a transaction when the others ended is transformed by somebody who is alone. */
async function transformRest(world: ClientWorld, group: GroupSettings, contents: Contents): Promise<void> {
  let isOver = false
  const running = new Transformer(world, 'last-transformer', group, () => isOver).run()
  const admin = new Admin(world.client().options)
  const isLeft = async (): Promise<boolean> => {
    const committed = await admin.listConsumerGroupOffsets(group.group)
    return [...partsOf(world, group, contents)].some(({ topic, partition, records }) => {
      const offset = committed.find(one => one.topic === topic && one.partition === partition)?.offset ?? 0
      return offset <= (records.at(-1)?.offset ?? -1)
    })
  }
  while (await isLeft()) await world.sleep(100)
  isOver = true
  await running
  admin.close()
}

/** A last member reads on to the end and leaves: then all of it is committed, and the group is where its log ends. */
async function finish(world: ClientWorld, group: GroupSettings): Promise<void> {
  const clientId = `finisher-${group.group}`
  const consumer = new Consumer({
    ...world.client().options,
    ...readerOptions(world, group),
    ...{ clientId, sessionTimeoutMs: SESSION_TIMEOUT_MS, maxPollIntervalMs: 5_000 },
    onLost: lost => world.fail(`the last of ${group.group} lost ${lost.length} partitions without a fault`),
  })
  world.watch.stays(clientId)
  consumer.subscribe([...group.topics])
  const over = new AbortController()
  let isFirst = true
  const work = async ({ value }: { readonly value: string | null }): Promise<void> => {
    // Heartbeats do not depend on what the program does.
    if (isFirst) {
      isFirst = false
      void visit(world, group)
      await world.sleep(4 * SESSION_TIMEOUT_MS)
    }
    world.ledger(group.group).done(value!)
  }
  const run = consumer.run(work, { signal: over.signal })
  const places = group.topics.flatMap(topic =>
    Array.from({ length: world.partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
  )
  const endOf = ({ topic, partition }: TopicPartition): number => {
    const { highWatermark, lastStableOffset } = world.broker.server!.services.replicas.partition(topic, partition).log!
    return group.isolation === 'committed' ? lastStableOffset : highWatermark
  }
  const isThere = (place: TopicPartition): boolean =>
    consumer.assignment.length === places.length && consumer.position(place) === endOf(place)
  while (!places.every(isThere)) await world.sleep(50)
  over.abort()
  await run
  await consumer.close()
  const admin = new Admin(world.client().options)
  const committed = await admin.listConsumerGroupOffsets(group.group)
  admin.close()
  for (const place of places) {
    const { topic, partition } = place
    const offset = committed.find(one => one.topic === topic && one.partition === partition)?.offset ?? 0
    if (offset !== endOf(place))
      world.fail(`${group.group} left ${offset} of ${topic}-${partition}, which ends at ${endOf(place)}`)
  }
}

/** Each input record has become one output record, in order. */
async function checkOutput(world: ClientWorld, input: Contents): Promise<void> {
  const output = await read(world, [TOPIC.output])
  for (let partition = 0; partition < world.partitionsOf(TOPIC.transactional); partition++) {
    const where = `${TOPIC.transactional}-${partition}`
    const expected = input
      .get(where)!
      .committed.map(({ value, offset }) => outputOf({ value, topic: TOPIC.transactional, partition, offset }))
    const found = output.get(`${TOPIC.output}-${partition}`)!.committed.map(({ value }) => inputOf(value))
    const wrong = Array.from({ length: Math.max(expected.length, found.length) }, (_, index) => index).find(
      index => expected[index] !== found[index],
    )
    if (wrong === undefined) continue
    world.fail(`exactly once: output ${wrong} of ${partition} is ${found[wrong]}, not ${expected[wrong]}`)
  }
}
