import { driven } from '../../../src/testing/simulated-broker.ts'
import type { World } from './world.ts'

/** Makes the topics of a run, once the broker is ready. */
export async function createTopics(world: World) {
  const server = await driven(world.clock, world.broker.ready)
  const topics = world.settings.topics.map(({ name, partitions, configs }) => ({
    name,
    numPartitions: partitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }))
  const created = await driven(world.clock, server.services.controller.createTopics(topics))
  for (const { errorCode, errorMessage } of created) if (errorCode !== 0) world.fail(`${errorMessage}`)
  return created
}
