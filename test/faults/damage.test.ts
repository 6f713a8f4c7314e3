/** Files that are damaged while the broker is down, or under it: what is wrong is never served, and the rest is. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import type { RunningProgram } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'
import { report } from './cycles.ts'
import { IdempotentLoad, produce } from './idempotent-load.ts'
import { fetchOnce } from './partition-reader.ts'
import { withBroker } from './with-broker.ts'

const LIST_OFFSETS = [p.ListOffsetsRequest, p.ListOffsetsResponse] as const
const TOPIC = { name: 'numbers', partitions: 2 }

async function filled(broker: BrokerProcess): Promise<IdempotentLoad> {
  const configEntries = [
    { name: 'segment.bytes', value: '65536' },
    { name: 'index.interval.bytes', value: '1024' },
  ]
  await createTopics(broker, [{ topic: TOPIC.name, numPartitions: TOPIC.partitions, configEntries }])
  const load = new IdempotentLoad(broker.port, TOPIC, 500)
  await load.start()
  await load.more(1_500)
  await load.stop()
  return load
}

/** Files of one partition whose names end so, the oldest first. */
function files(broker: BrokerProcess, ending: string, partition = 0): string[] {
  const directory = join(broker.logDirectory, `${TOPIC.name}-${partition}`)
  return readdirSync(directory)
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => join(directory, name))
}

const INDEX_DAMAGE: Readonly<Record<string, (file: string) => void>> = {
  missing: file => rmSync(file),
  empty: file => truncateSync(file, 0),
  'cut off': file => truncateSync(file, Math.max(0, readFileSync(file).length - 5)),
  'over-long': file => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.alloc(4_096, 0xff)])),
  wrong: file => writeFileSync(file, Buffer.alloc(readFileSync(file).length, 0x5a)),
}

test('indexes that are missing, cut off, over-long or wrong are built anew, and every lookup finds what a scan finds', async () => {
  await withBroker({}, async broker => {
    const load = await filled(broker)
    const expected = await lookups(broker)
    let damaged = 0
    for (const damage of Object.values(INDEX_DAMAGE)) {
      for (const isClean of [true, false]) {
        if (isClean) await broker.stop()
        else await broker.killHard()
        for (const file of [...files(broker, '.index'), ...files(broker, '.timeindex')]) {
          damage(file)
          damaged++
        }
        await broker.restart()
        await load.audit()
        assert.deepEqual(await lookups(broker), expected)
      }
    }
    const audit = await load.audit()
    report('damaged indexes', { 'files damaged': damaged, ...audit })
  })
})

/** The first offset that each of a row of fetches gives, and what a row of timestamps is found at. */
async function lookups(broker: BrokerProcess): Promise<number[]> {
  const client = await ProtocolClient.open(broker.port)
  const found: number[] = []
  try {
    for (let from = 0; ; from += 37) {
      const fetched = await fetchOnce(client, { topic: TOPIC.name, partition: 0, from })
      const first = p.nextBatch(fetched.records, 0)
      if (first === undefined) return found
      assert.ok(first.baseOffset <= from && from <= first.lastOffset, `a fetch at ${from} begins elsewhere`)
      const partitions = [{ partitionIndex: 0, timestamp: first.maxTimestamp }]
      const answer = await client.ask(LIST_OFFSETS, 1, { replicaId: -1, topics: [{ name: TOPIC.name, partitions }] })
      found.push(first.baseOffset, answer.topics[0]!.partitions[0]!.offset)
    }
  } finally {
    client.close()
  }
}

test('a bit that flipped in the records of a closed segment never reaches a reader as data, and other partitions are served', async () => {
  await withBroker({}, async broker => {
    await filled(broker)
    await broker.stop()
    const victim = files(broker, '.log')[1]!
    const bytes = readFileSync(victim)
    // In the records of a batch: what its sum covers.
    const at = (bytes.length >> 1) + 100
    bytes[at] = bytes[at]! ^ 0x10
    writeFileSync(victim, bytes)
    await broker.restart()
    const client = await ProtocolClient.open(broker.port)
    let sound = 0
    let refused = 0
    for (const partition of [0, 1]) {
      for (let from = 0; ; ) {
        const { error, records, highWatermark } = await fetchOnce(client, { topic: TOPIC.name, partition, from })
        if (from >= highWatermark) break
        const broken = error !== 'NONE' || [...p.batches(records)].some(header => !p.batchCrcValid(records, header))
        if (broken) refused++
        const last = error === 'NONE' ? [...p.batches(records)].filter(header => p.batchCrcValid(records, header)) : []
        sound += last.length
        if (broken || last.length === 0) break
        from = last.at(-1)!.lastOffset + 1
      }
    }
    client.close()
    assert.equal(refused, 1, 'the batch with the flipped bit fails its sum or is refused, and no other does')
    assert.ok(sound > 0)
    report('a flipped bit', { 'broken batches': refused, 'sound batches': sound })
  })
})

test('a closed segment that is damaged under a running broker is refused where it is wrong, and all else is served', async context => {
  await withBroker({}, async broker => {
    await filled(broker)
    // Memory holds what was appended a moment ago: nothing after a start.
    await broker.stop()
    await broker.restart()
    const [flipped = '', cutOff = ''] = files(broker, '.log')
    const middle = (file: string): p.BatchHeader => {
      const bytes = readFileSync(file)
      return [...p.batches(bytes)].find(({ position }) => position > bytes.length >> 1)!
    }
    const [wrong, lost] = [middle(flipped), middle(cutOff)]
    const bytes = readFileSync(flipped)
    bytes[wrong.position + 200]! ^= 0x10
    writeFileSync(flipped, bytes)
    truncateSync(cutOff, lost.position + 20)
    const client = await ProtocolClient.open(broker.port)
    const fetched = async (from: number, partition = 0) => {
      const { error, records } = await fetchOnce(client, { topic: TOPIC.name, partition, from })
      const first = error === 'NONE' ? p.nextBatch(records, 0) : undefined
      return { error, first, isSound: first !== undefined && p.batchCrcValid(records, first) }
    }
    assert.equal((await fetched(wrong.baseOffset - 1)).isSound, true, 'before the flipped bit')
    assert.equal((await fetched(wrong.baseOffset)).isSound, false, 'at the flipped bit')
    assert.equal((await fetched(wrong.lastOffset + 1)).isSound, true, 'behind the flipped bit')
    assert.equal((await fetched(lost.baseOffset - 1)).isSound, true, 'before the end')
    assert.equal((await fetched(lost.baseOffset)).error, 'CORRUPT_MESSAGE')
    const next = readFileSync(files(broker, '.log')[2]!)
    assert.equal((await fetched(p.nextBatch(next, 0)!.baseOffset)).isSound, true, 'in the next segment')
    assert.equal((await fetched(wrong.baseOffset, 1)).isSound, true, 'in another partition')
    const timestamp = Date.now()
    const more = p.encodeBatch({ records: [{ value: Buffer.from('more'), timestamp }] })
    assert.equal((await produce(client, { topic: TOPIC.name, partition: 0, records: more })).error, 'NONE')
    client.close()
    report(context.name, { 'segments damaged': 2, 'fetches refused': 2, 'fetches served': 5 })
  })
})

test('a second broker on the same directory, another broker.id and another cluster.id are refused in one line', async () => {
  await withBroker({}, async broker => {
    const load = await filled(broker)
    const second = await broker.spawnTwin()
    assert.notEqual(await second.ended(), 0)
    assert.match(second.stdout + second.stderr, /in use by another process/)
    await broker.stop()
    const meta = join(broker.logDirectory, 'meta.properties')
    const text = readFileSync(meta, 'utf8')
    for (const [key, wrong] of [
      ['broker.id', '7'],
      ['cluster.id', 'AAAAAAAAAAAAAAAAAAAAAA'],
    ]) {
      writeFileSync(meta, text.replace(new RegExp(`${key}=.*`), `${key}=${wrong}`))
      const refused: RunningProgram = await broker.spawn()
      assert.notEqual(await refused.ended(), 0)
      assert.match(refused.stdout + refused.stderr, new RegExp(wrong!))
    }
    writeFileSync(meta, text)
    await broker.restart()
    report('refusals', { refused: 3, ...(await load.audit()) })
  })
})

test('a base offset that cannot be gives CORRUPT_MESSAGE and no endless wait', async () => {
  await withBroker({}, async broker => {
    await filled(broker)
    await broker.stop()
    const victim = files(broker, '.log')[1]!
    const bytes = readFileSync(victim)
    const second = p.nextBatch(bytes, 0)!
    bytes[second.length] = bytes[second.length]! ^ 0x10
    writeFileSync(victim, bytes)
    await broker.restart()
    const client = await ProtocolClient.open(broker.port)
    const from = second.lastOffset + 1
    const { error } = await fetchOnce(client, { topic: TOPIC.name, partition: 0, from })
    const other = await fetchOnce(client, { topic: TOPIC.name, partition: 1, from })
    client.close()
    assert.equal(error, 'CORRUPT_MESSAGE')
    assert.equal(other.error, 'NONE')
    assert.ok(other.records.length > 0)
    report('a damaged base offset', { 'fetches refused': 1, 'bytes of the other partition': other.records.length })
  })
})
