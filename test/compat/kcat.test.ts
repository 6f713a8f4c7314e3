/** kcat: every codec, headers, keys, partitions, ends, offsets by time, groups. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { RunningProgram, run, sleep } from './process.ts'
import { kcat } from './tools.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const COUNT = 500

interface Envelope {
  readonly partition: number
  readonly offset: number
  readonly ts: number
  readonly headers?: readonly string[]
  readonly key: string | null
  readonly payload: string | null
}

/** Runs kcat against a broker. */
function kcatWith(broker: BrokerProcess): (args: readonly string[], input?: string) => Promise<string> {
  return async (args, input) => (await run('kcat', ['-b', broker.bootstrap, ...args], { input: input ?? '' })).stdout
}

function envelopes(text: string): Envelope[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Envelope)
}

const lines = (count: number, prefix: string): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

async function steps(context: TestContext, broker: BrokerProcess): Promise<void> {
  const cat = kcatWith(broker)
  for (const codec of CODECS) {
    await context.test(`produces and consumes with codec ${codec}`, async () => {
      const topic = `codec-${codec}`
      const sent = lines(COUNT, `${codec} ${'x'.repeat(50)} `)
      await cat(['-P', '-t', topic, '-z', codec, '-X', 'linger.ms=100'], `${sent.join('\n')}\n`)
      const received = await cat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q'])
      assert.deepEqual(received.trimEnd().split('\n'), sent)
    })
  }

  await context.test('keys, headers, null values and given partitions come back as they were sent', async () => {
    await createTopics(broker, [{ topic: 'shaped', numPartitions: 3 }])
    const at = ['-P', '-t', 'shaped', '-p', '2', '-K', ':', '-Z', '-H', 'trace=abc', '-H', 'empty=']
    await cat(at, 'k1:v1\nk2:v2\nk3:\n')
    const received = envelopes(await cat(['-C', '-t', 'shaped', '-o', 'beginning', '-e', '-q', '-J']))
    assert.deepEqual(
      received.map(({ partition, offset, headers, key, payload }) => ({ partition, offset, headers, key, payload })),
      [
        ['k1', 'v1'],
        ['k2', 'v2'],
        ['k3', null],
      ].map(([key, payload], offset) => ({
        partition: 2,
        offset,
        headers: ['trace', 'abc', 'empty', ''],
        key,
        payload,
      })),
    )
  })

  await context.test('the end of an empty and of a filled partition is reported', async () => {
    const { stderr } = await run('kcat', ['-b', broker.bootstrap, '-C', '-t', 'shaped', '-o', 'beginning', '-e'])
    assert.match(stderr, /Reached end of topic shaped \[0\] at offset 0/)
    assert.match(stderr, /Reached end of topic shaped \[2\] at offset 3/)
  })

  await context.test('positions: from an offset, from the end, by time', async () => {
    await createTopics(broker, [{ topic: 'timed', numPartitions: 1 }])
    await cat(['-P', '-t', 'timed'], 'early1\nearly2\n')
    await sleep(50)
    const between = Date.now()
    await sleep(50)
    await cat(['-P', '-t', 'timed'], 'late1\nlate2\nlate3\n')
    const read = async (...position: string[]): Promise<string[]> =>
      (await cat(['-C', '-t', 'timed', '-e', '-q', ...position])).split('\n').filter(line => line !== '')
    assert.deepEqual(await read('-o', '1'), ['early2', 'late1', 'late2', 'late3'])
    assert.deepEqual(await read('-o', '-2'), ['late2', 'late3'])
    assert.deepEqual(await read('-o', `s@${between}`), ['late1', 'late2', 'late3'])
    assert.deepEqual(await read('-o', 'beginning', '-o', `e@${between}`), ['early1', 'early2'])
    for (const [time, offset] of [
      [between, 2],
      [-1, 5],
      [-2, 0],
    ] as const) {
      assert.equal(await cat(['-Q', '-t', `timed:0:${time}`]), `timed [0] offset ${offset}\n`)
    }
  })

  await context.test('metadata names the broker and the partitions', async () => {
    const answer = JSON.parse(await cat(['-L', '-J'])) as {
      controllerid: number
      brokers: { id: number; name: string }[]
      topics: { topic: string; partitions: { partition: number; leader: number; replicas: { id: number }[] }[] }[]
    }
    assert.deepEqual(answer.brokers, [{ id: 0, name: broker.bootstrap }])
    assert.equal(answer.controllerid, 0)
    const shaped = answer.topics.find(({ topic }) => topic === 'shaped')
    assert.deepEqual(
      shaped?.partitions.map(({ partition, leader, replicas }) => ({ partition, leader, replicas })),
      [0, 1, 2].map(partition => ({ partition, leader: 0, replicas: [{ id: 0 }] })),
    )
  })

  await context.test('a group resumes where it committed, and two members share the partitions', async () => {
    await createTopics(broker, [{ topic: 'grouped', numPartitions: 4 }])
    const first = lines(200, 'a')
    await cat(['-P', '-t', 'grouped', '-X', 'sticky.partitioning.linger.ms=0'], `${first.join('\n')}\n`)
    const group = ['-X', 'auto.offset.reset=earliest', '-X', 'session.timeout.ms=6000', '-G', 'kcat-group', 'grouped']
    const received = await cat(['-e', '-q', ...group])
    assert.deepEqual(received.trimEnd().split('\n').sort(), [...first].sort())
    const second = lines(200, 'b')
    await cat(['-P', '-t', 'grouped', '-X', 'sticky.partitioning.linger.ms=0'], `${second.join('\n')}\n`)
    const members = [0, 1].map(() => new RunningProgram('kcat', ['-b', broker.bootstrap, '-u', ...group], {}))
    const both = (): string[] => members.flatMap(({ stdout }) => stdout.split('\n').filter(line => line !== ''))
    await members[0]?.until(() => both().length >= second.length)
    for (const member of members) member.kill('SIGTERM')
    for (const member of members) await member.ended()
    assert.deepEqual(both().sort(), [...second].sort())
  })
}

compatTest({ tool: 'kcat', install: kcat, version: version => version, steps })
