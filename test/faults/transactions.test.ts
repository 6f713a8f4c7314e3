/** The broker is killed in each state of a transaction beside a reader, and producers come back from the dead. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { RunningProgram, until } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { CommittedReader } from './committed-reader.ts'
import { cycles, report } from './cycles.ts'
import { ends, readPartition } from './partition-reader.ts'
import { FaultInForce, strace } from './system-call-faults.ts'
import { TransactionClient } from './transaction-client.ts'
import { withBroker } from './with-broker.ts'

const ZOMBIE = fileURLToPath(new URL('zombie-producer.js', import.meta.url))
const DESCRIBE = [p.DescribeTransactionsRequest, p.DescribeTransactionsResponse] as const
const UPDATE_FEATURES = [p.UpdateFeaturesRequest, p.UpdateFeaturesResponse] as const
const TOPIC = 'data'
const PARTITIONS = [0, 1, 2]
const PROPERTIES = {
  'transaction.state.log.num.partitions': '2',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
}
/** An end writes its decision, a marker for each partition, and its completion; who takes an id over writes itself then. */
const WRITES_OF_AN_END = {
  commit: 2 + PARTITIONS.length,
  abort: 2 + PARTITIONS.length,
  takeover: 3 + PARTITIONS.length,
}

test('kill -9 at any write of a commit or an abort leaves all of a transaction or nothing, and no reader hangs', context =>
  killEnds(context, 0))

test('kill -9 at any write of the end of a transaction that has an epoch of its own leaves all of it or nothing, and no reader hangs', context =>
  killEnds(context, 2))

async function killEnds(context: TestContext, version: number): Promise<void> {
  const ready = await toolOrSkip(context, 'strace', async () => {
    await strace()
    return true
  })
  if (ready === undefined) return
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: PARTITIONS.length }])
    if (version > 0) await finalize(broker, version)
    const reader = new CommittedReader(broker.port, { name: TOPIC, partitions: PARTITIONS.length })
    reader.start()
    const seen = new Map<string, boolean>()
    let killed = 0
    for (const ending of ['commit', 'abort', 'takeover'] as const) {
      for (let write = 1; write <= WRITES_OF_AN_END[ending] + 1; write++) {
        const value = `${ending} killed at write ${write}`
        const { answered, isKilled } = await endWithKill(broker, { value, ending, write, version })
        if (isKilled) killed++
        seen.set(value, await sameEverywhere(broker, value))
        if (answered && ending === 'commit') assert.ok(seen.get(value), `${value} was acknowledged`)
        if (ending !== 'commit') assert.ok(!seen.get(value), `${value}: an aborted record was read`)
      }
    }
    await reader.stop()
    const expected = [...seen].filter(([, isSeen]) => isSeen).map(([value]) => value)
    for (const partition of PARTITIONS) assert.deepEqual(reader.values(partition), expected)
    const committed = expected.length
    assert.ok(
      committed > 0 && committed < WRITES_OF_AN_END.commit + 1,
      `${committed} commits were decided before the kill`,
    )
    assert.ok(killed >= seen.size - 2 * 3, `${killed} of ${seen.size} ends of transactions were interrupted`)
    report(context.name, {
      kills: killed,
      'commits decided': committed,
      'left open or aborted': seen.size - committed,
      'reads cut off': reader.broken,
    })
  })
}

/** Has the cluster agree on a level of `transaction.version`. */
async function finalize(broker: BrokerProcess, maxVersionLevel: number): Promise<void> {
  const client = await ProtocolClient.open(broker.port)
  const featureUpdates = [{ feature: 'transaction.version', maxVersionLevel }]
  const { results } = await client.ask(UPDATE_FEATURES, 1, { featureUpdates })
  assert.deepEqual(
    results.map(({ errorCode }) => errorCode),
    [0],
  )
  client.close()
}

/** Ends a transaction while strace kills the broker at its n-th write to a file; the broker is up again afterwards. */
async function endWithKill(
  broker: BrokerProcess,
  {
    value,
    ending,
    write,
    version,
  }: { value: string; ending: keyof typeof WRITES_OF_AN_END; write: number; version: number },
): Promise<{ answered: boolean; isKilled: boolean }> {
  const producer = new TransactionClient(broker.port, 'killed', undefined, version)
  await producer.init()
  const errors = await producer.send(TOPIC, PARTITIONS, value)
  assert.deepEqual(new Set(errors), new Set(['NONE']))
  const { pid } = broker
  const effect = `signal=SIGKILL:when=${write}`
  const fault = await FaultInForce.on(pid, { calls: ['pwrite64', 'pwritev'], effect })
  const successor = new TransactionClient(broker.port, 'killed')
  const end = ending === 'takeover' ? successor.init() : producer.end(ending === 'commit')
  const answered = await end.then(
    error => error === 'NONE',
    () => false,
  )
  const isKilled = await killed(broker, 'killed')
  producer.close()
  successor.close()
  await broker.killHard()
  await fault.lift()
  await broker.restart()
  return { answered, isKilled }
}

/** Whether the broker is killed before it has written all that belongs to the end of a transaction. */
async function killed(broker: BrokerProcess, transactionalId: string): Promise<boolean> {
  await until(`${transactionalId} is complete`, async () => !broker.isRunning || isComplete(broker, transactionalId))
  return !broker.isRunning
}

/** False also where nobody answers any more. */
async function isComplete(broker: BrokerProcess, transactionalId: string): Promise<boolean> {
  const client = await ProtocolClient.open(broker.port).catch(() => undefined)
  const answer = await client?.ask(DESCRIBE, 0, { transactionalIds: [transactionalId] }).catch(() => undefined)
  client?.close()
  return /^(Complete|Empty)/.test(answer?.transactionStates[0]?.transactionState ?? '')
}

/** Takes the id over, which settles what was open, and reads: the record is in every partition, or in none. */
async function sameEverywhere(broker: BrokerProcess, value: string): Promise<boolean> {
  const next = new TransactionClient(broker.port, 'killed')
  await next.init()
  next.close()
  const found: boolean[] = []
  for (const partition of PARTITIONS) {
    await stable(broker, partition)
    const records = await readPartition(broker.port, { topic: TOPIC, partition, isReadCommitted: true })
    found.push(records.some(record => record.value === value))
  }
  assert.equal(new Set(found).size, 1, `${value}: it is in partitions ${JSON.stringify(found)}`)
  return found[0]!
}

/** Waits until the last stable offset is the high watermark: nothing is open any more. */
async function stable(broker: BrokerProcess, partition: number): Promise<void> {
  let offset = 0
  await until(
    () => `${TOPIC}-${partition} stays open at offset ${offset}`,
    async () => {
      const { highWatermark, lastStableOffset } = await ends(broker.port, { topic: TOPIC, partition })
      offset = lastStableOffset
      return highWatermark === lastStableOffset
    },
  )
}

test('a producer that is stopped while another takes its transactional id is fenced, and nothing of its later records shows', async context => {
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: PARTITIONS.length }])
    const rounds = cycles(10)
    let fenced = 0
    let sentBefore = 0
    for (let round = 0; round < rounds; round++) {
      const args = [ZOMBIE, String(broker.port), 'shared', TOPIC, `zombie ${round}`]
      const zombie = new RunningProgram(process.execPath, args)
      await zombie.until(stdout => stdout.split('sent NONE').length > 3)
      zombie.kill('SIGSTOP')
      const successor = new TransactionClient(broker.port, 'shared')
      await successor.init()
      await successor.send(TOPIC, PARTITIONS, `successor ${round}`)
      sentBefore += zombie.stdout.split('sent NONE').length - 1
      zombie.kill('SIGCONT')
      assert.equal(await zombie.ended(), 0, zombie.stderr)
      const [refused = '', ended = ''] = zombie.stdout.trim().split('\n').slice(-2)
      assert.match(refused, /^sent .*(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED)/)
      assert.match(ended, /^ended (INVALID_PRODUCER_EPOCH|PRODUCER_FENCED)$/)
      fenced += 2
      assert.equal(await successor.end(true), 'NONE')
      successor.close()
    }
    const expected = Array.from({ length: rounds }, (_, round) => `successor ${round}`)
    for (const partition of PARTITIONS) {
      await stable(broker, partition)
      const read = await readPartition(broker.port, { topic: TOPIC, partition, isReadCommitted: true })
      assert.deepEqual(
        read.map(({ value }) => value),
        expected,
      )
    }
    report(context.name, {
      'records before the stop': sentBefore * PARTITIONS.length,
      'requests fenced': fenced,
      'transactions committed': rounds,
    })
  })
})

test('the transaction of a producer that died is aborted after its timeout, also when the broker was killed meanwhile', async context => {
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: PARTITIONS.length }])
    const rounds = cycles(3)
    for (let round = 0; round < rounds; round++) {
      const dying = new TransactionClient(broker.port, `dying-${round}`, 1_000)
      await dying.init()
      assert.deepEqual(new Set(await dying.send(TOPIC, PARTITIONS, 'never')), new Set(['NONE']))
      dying.close()
      if (round % 2 === 0) {
        await broker.killHard()
        await broker.restart()
      }
      for (const partition of PARTITIONS) {
        await stable(broker, partition)
        const all = await readPartition(broker.port, { topic: TOPIC, partition })
        assert.equal(all.length, round + 1)
        assert.deepEqual(await readPartition(broker.port, { topic: TOPIC, partition, isReadCommitted: true }), [])
      }
    }
    report(context.name, { 'transactions timed out': rounds })
  })
})
