import { Admin } from '../../../src/client/index.ts'
import { KafkaError } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'
import { RecordWriter } from './record-writer.ts'
import { PARTITIONS, TOPIC } from './settings.ts'

/** Adds partitions to the topics, the output's before those of what is transformed, and lets somebody write to all there are then. */
export class TopicGrower {
  readonly #world: ClientWorld

  constructor(world: ClientWorld) {
    this.#world = world
  }

  async run(): Promise<void> {
    const world = this.#world
    const { busyMs, morePartitions } = world.settings
    await world.sleep(world.random.below(busyMs))
    const admin = new Admin({ ...world.client().options, clientId: 'grower' })
    for (const topic of [TOPIC.output, TOPIC.plain, TOPIC.transactional]) {
      await this.#grow(admin, topic, PARTITIONS + morePartitions)
    }
    admin.close()
    await new RecordWriter(world, 'late', { isIdempotent: true }).run()
  }

  async #grow(admin: Admin, topic: string, total: number): Promise<void> {
    const world = this.#world
    for (;;) {
      try {
        await admin.createPartitions([{ topic, total }], { timeoutMs: 10_000 })
        break
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        // Who was not answered has perhaps been heard.
        if (error.code === 'INVALID_PARTITIONS') break
        if (!error.retriable) throw error
      }
    }
    world.line(`${topic} has ${total} partitions`)
    world.count('topic grown')
    world.topicGrown(topic, total)
  }
}
