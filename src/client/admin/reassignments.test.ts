import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock, seededRandom } from '../../platform/index.ts'
import { ErrorCode } from '../../protocol/index.ts'
import { type Script, ScriptedBroker } from '../scripted-broker.fixture.ts'
import { Admin } from './admin.ts'
import { ItemsFailed } from './admin-call.ts'

type Topics = readonly { readonly name: string; readonly partitions: readonly object[] }[]

/** An Admin of a cluster of one broker, its controller, that answers what `script` says. */
async function adminOf(script: Script) {
  const clock = new SimulatedClock()
  const broker: ScriptedBroker = await ScriptedBroker.start(clock, request =>
    request.name === 'Metadata'
      ? { brokers: [{ nodeId: 1, host: 'broker', port: broker.port }], controllerId: 1, clusterId: 'c', topics: [] }
      : script(request),
  )
  const platform = { network: broker.network, clock, random: seededRandom(1) }
  const admin = new Admin({ bootstrapServers: `broker:${broker.port}`, platform })
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    const outcome = Promise.allSettled([promise])
    await clock.advance(1_000)
    await outcome
    return promise
  }
  return { admin, settled }
}

test('reassignments under way are told with who comes and who goes, in the order of partitions', async () => {
  const asked: unknown[] = []
  const { admin, settled } = await adminOf(({ body }) => {
    asked.push(body.topics)
    const moving = { replicas: [1, 2, 3], addingReplicas: [3], removingReplicas: [1] }
    const still = { replicas: [1], addingReplicas: [], removingReplicas: [] }
    return {
      topics: [
        {
          name: 'orders',
          partitions: [
            { partitionIndex: 4, ...still },
            { partitionIndex: 0, ...moving },
          ],
        },
        { name: 'bills', partitions: [{ partitionIndex: 1, ...still }] },
      ],
    }
  })
  const listed = await settled(admin.listPartitionReassignments())
  assert.deepEqual(
    listed.map(({ topic, partition }) => `${topic}-${partition}`),
    ['bills-1', 'orders-0', 'orders-4'],
  )
  assert.deepEqual(listed[1], {
    topic: 'orders',
    partition: 0,
    replicas: [1, 2, 3],
    addingReplicas: [3],
    removingReplicas: [1],
  })
  await settled(admin.listPartitionReassignments([{ topic: 'orders', partition: 0 }]))
  assert.deepEqual(asked, [null, [{ name: 'orders', partitionIndexes: [0] }]])
})

test('what the controller has taken on is not ordered again when it has to be asked anew for the rest', async () => {
  const asked: Topics[] = []
  const codes = [ErrorCode.NONE, ErrorCode.NOT_CONTROLLER, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS]
  const { admin, settled } = await adminOf(({ body }) => {
    const topics = body.topics as Topics
    asked.push(topics)
    if (asked.length === 1) return { errorCode: ErrorCode.NOT_CONTROLLER }
    const answers = topics.map(({ name, partitions }) => ({
      name,
      partitions: (partitions as { partitionIndex: number }[]).map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: asked.length === 2 ? codes[partitionIndex] : ErrorCode.NONE,
      })),
    }))
    return { responses: answers }
  })
  const moves = [[2, 1], [2], null].map((replicas, partition) => ({ topic: 'orders', partition, replicas }))
  await assert.rejects(settled(admin.alterPartitionReassignments(moves)), error => {
    assert(error instanceof ItemsFailed)
    assert.deepEqual([error.code, [...error.failures.keys()]], ['NO_REASSIGNMENT_IN_PROGRESS', ['orders-2']])
    return true
  })
  const orders = asked.map(topics => topics[0]?.partitions)
  const all = moves.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas }))
  assert.deepEqual(orders, [all, all, [{ partitionIndex: 1, replicas: [2] }]])
})
