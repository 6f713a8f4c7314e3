/** Records of a transaction that come when it is over, to a partition that has records to convert (KIP-890). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaServer } from '../../src/broker/index.ts'
import {
  inlineWorkers,
  type Job,
  MemoryDisk,
  nodeNetwork,
  silentLogger,
  systemClock,
  systemRandom,
  type Workers,
} from '../../src/platform/index.ts'
import * as p from '../../src/protocol/everything.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'

const FIND_COORDINATOR = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const INIT = [p.InitProducerIdRequest, p.InitProducerIdResponse] as const
const ADD = [p.AddPartitionsToTxnRequest, p.AddPartitionsToTxnResponse] as const
const END = [p.EndTxnRequest, p.EndTxnResponse] as const
const PRODUCE = [p.ProduceRequest, p.ProduceResponse] as const
const PRODUCERS = [p.DescribeProducersRequest, p.DescribeProducersResponse] as const

const TRANSACTIONAL_ID = 'late'

/** Keeps what it has done back while it is held. */
class HeldWorkers implements Workers {
  release: () => void = () => {}
  #isReleased: Promise<void> = Promise.resolve()
  #asked: () => void = () => {}

  hold(): void {
    this.#isReleased = new Promise(resolve => {
      this.release = resolve
    })
  }

  /** Resolves when it is given the next job. */
  asked(): Promise<void> {
    return new Promise(resolve => {
      this.#asked = resolve
    })
  }

  async run<I extends object, O extends object>(job: Job<I, O>, input: I): Promise<O> {
    const output = await inlineWorkers.run(job, input)
    this.#asked()
    await this.#isReleased
    return output
  }

  async close(): Promise<void> {}
}

async function start(workers: Workers): Promise<KafkaServer> {
  const server = await KafkaServer.start({
    properties: new Map([
      ['broker.id', '0'],
      ['listeners', 'PLAINTEXT://127.0.0.1:0'],
      ['log.dirs', '/logs'],
      ['transaction.state.log.num.partitions', '1'],
    ]),
    disk: new MemoryDisk(),
    network: nodeNetwork,
    clock: systemClock,
    random: systemRandom,
    workers,
    logger: silentLogger,
    isVerbose: false,
    onHalt: () => {},
  })
  const configs = [{ name: 'compression.type', value: 'gzip' }]
  const topic = { name: 'packed', numPartitions: 1, replicationFactor: 1, assignments: [], configs }
  await server.services.controller.createTopics([topic])
  return server
}

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** The id and epoch of a transactional producer, as soon as its coordinator has loaded. */
async function becomeProducer(client: ProtocolClient): Promise<Producer> {
  for (;;) {
    await client.ask(FIND_COORDINATOR, 3, { key: TRANSACTIONAL_ID, keyType: 1 })
    const body = { transactionalId: TRANSACTIONAL_ID, transactionTimeoutMs: 60_000 }
    const { errorCode, ...producer } = await client.ask(INIT, 4, body)
    if (errorCode === 0) return producer
    await new Promise(setImmediate)
  }
}

async function produce(client: ProtocolClient, producer?: Producer & { readonly baseSequence: number }) {
  const records = p.encodeBatch({
    records: [{ value: Buffer.from('value') }],
    ...(producer && { ...producer, isTransactional: true }),
  })
  const { responses } = await client.ask(PRODUCE, 9, {
    transactionalId: producer ? TRANSACTIONAL_ID : null,
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: 'packed', partitionData: [{ index: 0, records }] }],
  })
  return responses[0]!.partitionResponses[0]!.errorCode
}

test('records that come behind the end of their transaction, while that waits to be written, open no other one', async () => {
  const workers = new HeldWorkers()
  const server = await start(workers)
  const port = server.listeners[0]!.port
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => ProtocolClient.open(port)))
  try {
    const { producerId, producerEpoch } = await becomeProducer(first!)
    const ids = { producerId, producerEpoch }
    const added = { v3AndBelowTransactionalId: TRANSACTIONAL_ID, v3AndBelowProducerId: producerId }
    const topics = [{ name: 'packed', partitions: [0] }]
    await first!.ask(ADD, 3, { ...added, v3AndBelowProducerEpoch: producerEpoch, v3AndBelowTopics: topics })
    assert.equal(await produce(first!, { ...ids, baseSequence: 0 }), 0)
    workers.hold()
    const plainConverts = workers.asked()
    const plain = produce(second!)
    await plainConverts
    await first!.ask(END, 3, { transactionalId: TRANSACTIONAL_ID, ...ids, committed: false })
    const lateConverts = workers.asked()
    const late = produce(third!, { ...ids, baseSequence: 1 })
    await lateConverts
    workers.release()
    assert.equal(await plain, 0)
    // The coordinator may not know yet that the marker is written: then the producer is to try again.
    let error = await late
    while (error === p.ErrorCode.NOT_ENOUGH_REPLICAS) error = await produce(third!, { ...ids, baseSequence: 1 })
    assert.equal(error, p.ErrorCode.INVALID_TXN_STATE)
    const described = await first!.ask(PRODUCERS, 0, { topics: [{ name: 'packed', partitionIndexes: [0] }] })
    const [producer] = described.topics[0]!.partitions[0]!.activeProducers
    assert.equal(producer?.currentTxnStartOffset, -1)
  } finally {
    workers.release()
    for (const client of [first, second, third]) client!.close()
    await server.stop()
  }
})
