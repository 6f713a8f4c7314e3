import { ErrorCode } from '../../../src/protocol/everything.ts'
import {
  ALTER_CONFIGS,
  ALTER_LOG_DIRS,
  CREATE_PARTITIONS,
  CREATE_TOPICS,
  DELETE_RECORDS,
  DELETE_TOPICS,
} from './apis.ts'
import { Peer } from './peer.ts'
import { encoded, ignoreUnavailable, produce } from './plain-producer.ts'
import { listOffset, readOnce } from './reading.ts'
import { TOPIC } from './settings.ts'
import type { World } from './world.ts'

/** A topic that comes and goes. */
export const BRIEF = 'brief'

/** Makes topics and deletes them, deletes records, changes settings, moves partitions to other directories. */
export class Administrator {
  readonly #world: World
  readonly #peer: Peer
  #made = 0

  constructor(world: World) {
    this.#world = world
    this.#peer = new Peer(world, 'administrator')
  }

  async run(): Promise<void> {
    const world = this.#world
    while (!world.isEnding) {
      const choice = world.random.below(6)
      if (choice === 0) await this.#briefTopic()
      else if (choice === 1) await this.#deleteRecords()
      else if (choice === 2) await this.#alterConfigs()
      else if (choice === 3) await this.#addPartition()
      else await this.#moveReplica()
      await world.sleep(100 + world.random.below(600))
    }
    this.#peer.close()
  }

  /** A topic comes, has a record, and goes; the next of its name has nothing of it. */
  async #briefTopic(): Promise<void> {
    const world = this.#world
    const topic = { name: BRIEF, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const created = await this.#retried(async () => {
      const { topics } = await this.#peer.call(CREATE_TOPICS, { topics: [topic], validateOnly: false })
      return topics[0]?.errorCode
    })
    if (created !== 0) return
    const place = { topic: BRIEF, partition: 0 }
    const end = await listOffset(this.#peer, place, -1).catch(ignoreUnavailable)
    if (end !== undefined && end !== 0) world.fail(`a new topic ${BRIEF} ends at ${end}`)
    this.#made += 1
    const value = `brief.${this.#made}`
    const records = encoded(world, [{ value }])
    const sent = await produce(world, this.#peer, { ...place, records }).catch(ignoreUnavailable)
    const reading = await readOnce(world, this.#peer, { ...place, isolation: 'uncommitted', offset: 0 }).catch(
      ignoreUnavailable,
    )
    if (sent?.errorCode === 0 && reading?.errorCode === 0 && world.settings.durability !== 'lossy') {
      const values = reading.records.map(record => record.value)
      if (values.join() !== value) world.fail(`topic ${BRIEF} has [${values}] and not ${value}`)
    }
    await world.sleep(world.random.below(500))
    const deleted = await this.#retried(async () => {
      const { responses } = await this.#peer.call(DELETE_TOPICS, { topicNames: [BRIEF], timeoutMs: 1_000 })
      const errorCode = responses[0]?.errorCode
      // It was perhaps deleted by the request before, which got no answer.
      return errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ? 0 : errorCode
    })
    if (deleted === 0) world.count('topic deleted')
  }

  async #deleteRecords(): Promise<void> {
    const world = this.#world
    const topic = world.oneOf([TOPIC.plain, TOPIC.plain, TOPIC.transactional, TOPIC.keyed])
    // The first partition of `plain` is read to its end by a transformer.
    const place = { topic, partition: topic === TOPIC.keyed ? 0 : 1 }
    const end = await listOffset(this.#peer, place, -1).catch(ignoreUnavailable)
    if (!end) return
    const offset = world.random.below(end + 1)
    const id = world.history.invoke({ kind: 'trim', partition: `${place.topic}-${place.partition}`, offset })
    const partitions = [{ partitionIndex: place.partition, offset }]
    const request = { topics: [{ name: place.topic, partitions }], timeoutMs: 1_000 }
    const answer = await this.#peer.call(DELETE_RECORDS, request).catch(ignoreUnavailable)
    const deleted = answer?.topics[0]?.partitions[0]
    const { POLICY_VIOLATION } = ErrorCode
    if (topic === TOPIC.keyed && (deleted?.errorCode ?? POLICY_VIOLATION) !== POLICY_VIOLATION) {
      world.fail(`DeleteRecords from a compacted topic: error ${deleted?.errorCode}`)
    }
    if (deleted?.errorCode !== 0) {
      world.history.info(id)
      return
    }
    world.history.ok(id)
    world.count('records deleted')
    world.deletedTo(`${topic}-${place.partition}`, offset)
    if (deleted.lowWatermark < offset)
      world.fail(`${topic} starts at ${deleted.lowWatermark} without those below ${offset}`)
  }

  async #alterConfigs(): Promise<void> {
    const world = this.#world
    const [name, value] = world.oneOf([
      ['segment.bytes', `${world.oneOf([200, 1_000, 1 << 20])}`],
      ['index.interval.bytes', `${world.oneOf([100, 4_096])}`],
      ['file.delete.delay.ms', `${world.oneOf([0, 2_000])}`],
      ['segment.ms', `${world.oneOf([1_000, 1 << 30])}`],
    ] as const)
    const configs = [{ name, configOperation: 0, value }]
    const resource = {
      resourceType: 2,
      resourceName: world.oneOf([TOPIC.plain, TOPIC.transactional, TOPIC.output]),
      configs,
    }
    const answer = await this.#peer
      .call(ALTER_CONFIGS, { resources: [resource], validateOnly: false })
      .catch(ignoreUnavailable)
    if (answer?.responses[0]?.errorCode === 0) world.count('config changed')
  }

  async #addPartition(): Promise<void> {
    const world = this.#world
    const topics = [{ name: TOPIC.short, count: 2, assignments: null }]
    const request = { topics, timeoutMs: 1_000, validateOnly: false }
    const answer = await this.#peer.call(CREATE_PARTITIONS, request).catch(ignoreUnavailable)
    if (answer?.results[0]?.errorCode === 0) world.count('partition added')
  }

  async #moveReplica(): Promise<void> {
    const world = this.#world
    const directories = world.settings.properties['log.dirs']!.split(',')
    if (directories.length === 1) return
    const name = world.oneOf([
      TOPIC.plain,
      TOPIC.transactional,
      TOPIC.output,
      TOPIC.keyed,
      TOPIC.short,
      '__consumer_offsets',
    ])
    const dirs = [{ path: world.oneOf(directories), topics: [{ name, partitions: [0] }] }]
    const answer = await this.#peer.call(ALTER_LOG_DIRS, { dirs }).catch(ignoreUnavailable)
    if (answer?.results[0]?.partitions[0]?.errorCode !== 0) return
    world.count('directory changed')
    if (world.chance(2)) return
    // Moves are over soon, so that hardly a crash comes in the middle of one by chance.
    await world.sleep(world.random.below(world.settings.syncMs + 1))
    await world.crash(world.random.below(500))
  }

  async #retried(request: () => Promise<number | undefined>): Promise<number | undefined> {
    for (let attempt = 0; attempt < 6; attempt++) {
      const errorCode = await request().catch(ignoreUnavailable)
      if (errorCode !== undefined) return errorCode
      await this.#world.sleep(200)
    }
    return undefined
  }
}
