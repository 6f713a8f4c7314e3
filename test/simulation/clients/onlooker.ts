import { Admin } from '../../../src/client/index.ts'
import { KafkaError } from '../../../src/protocol/everything.ts'
import type { ClientWorld } from './client-world.ts'
import { TOPIC } from './settings.ts'

/** An Admin that asks for this and that, and makes topics, until the world is ending: each call has to come to an end. */
export class Onlooker {
  readonly #world: ClientWorld

  constructor(world: ClientWorld) {
    this.#world = world
  }

  async run(): Promise<void> {
    const world = this.#world
    const admin = new Admin({ ...world.client().options, clientId: 'admin' })
    for (let calls = 0; !world.isEnding; calls++) {
      try {
        await this.#ask(admin, calls)
        world.count('asked')
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        // A topic whose making was not answered may be there.
        world.line(`admin: ${error.code} ${error.message}`)
        if (!error.retriable && error.code !== 'TOPIC_ALREADY_EXISTS') world.fail(`admin: ${error.stack}`)
        world.count('asked in vain')
      }
      await world.sleep(world.random.below(500))
    }
    admin.close()
  }

  async #ask(admin: Admin, calls: number): Promise<unknown> {
    const options = { timeoutMs: 10_000 }
    switch (this.#world.random.below(4)) {
      case 0:
        return admin.createTopics([{ name: `made-${calls}`, partitions: 2 }], options)
      case 1:
        return admin.listTopics(options)
      case 2:
        return admin.describeTopics([TOPIC.plain, TOPIC.output], options)
      default:
        return admin.describeCluster(options)
    }
  }
}
