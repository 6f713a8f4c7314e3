/** Kafka Streams counts each word once, whatever becomes of the broker and of itself meanwhile. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import kafkajs from 'kafkajs'
import type { BrokerProcess } from './broker-process.ts'
import { compatTest } from './compat-test.ts'
import { createTopics } from './create-topics.ts'
import { jarSet, jarVersion } from './jars.ts'
import { javaSource, startJava } from './java.ts'
import type { RunningProgram } from './process.ts'

const PARTITIONS = 3
const LINES = 1_500
const WORDS = ['amsel', 'drossel', 'fink', 'star', 'dohle', 'elster', 'rabe', 'meise', 'specht', 'kauz', 'uhu']
const WORDS_A_LINE = 3
const COUNTS = LINES * WORDS_A_LINE
/** Slow enough that the faults come while counting goes on. */
const PAUSE_MICROS = 1_500

const wordAt = (index: number): string => WORDS[(index * index + index) % WORDS.length]!

function lines(): string[] {
  return Array.from({ length: LINES }, (_, line) =>
    Array.from({ length: WORDS_A_LINE }, (_, index) => wordAt(line * WORDS_A_LINE + index)).join(' '),
  )
}

/** One life of the program; its state outlives it in `directory`. */
function startCounting(
  broker: BrokerProcess,
  { run, directory, pauseMicros }: { run: string; directory: string; pauseMicros: number },
): Promise<RunningProgram> {
  const args = [broker.bootstrap, `word-count-${run}`, `counts-${run}`, join(directory, run)]
  const flags = ['-XX:+UseSerialGC', '-Xmx384m']
  const source = javaSource('WordCount.java')
  return startJava(source, [...args, `${COUNTS}`, `${pauseMicros}`], { jars: 'streams', flags })
}

/** How many counts the program's reader has seen. */
const countsRead = (output: string): number => Number([...output.matchAll(/^read (\d+)$/gm)].at(-1)?.[1] ?? 0)

/** The counts of each word in the order of the output. */
function countsByWord(output: string): Record<string, string[]> {
  const byWord: Record<string, string[]> = {}
  for (const [, word = '', count = ''] of output.matchAll(/^count \d+ \d+ (\w+) (\d+)$/gm)) {
    byWord[word] ??= []
    byWord[word].push(count)
  }
  return byWord
}

function countedHere(): Record<string, string[]> {
  const byWord: Record<string, string[]> = {}
  for (let index = 0; index < COUNTS; index++) {
    byWord[wordAt(index)] ??= []
    byWord[wordAt(index)]!.push(`${byWord[wordAt(index)]!.length + 1}`)
  }
  return byWord
}

async function finished(program: RunningProgram): Promise<Record<string, string[]>> {
  try {
    const code = await program.ended()
    assert.equal(code, 0, program.stderr.slice(-4_000))
    assert.match(program.stdout, /^done$/m)
    return countsByWord(program.stdout)
  } finally {
    program.kill('SIGKILL')
  }
}

async function steps(context: TestContext, broker: BrokerProcess): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-streams-'))
  try {
    await createTopics(
      broker,
      ['lines', 'counts-calm', 'counts-bounced'].map(topic => ({ topic, numPartitions: PARTITIONS })),
    )
    await sendLines(broker)
    let calm: Record<string, string[]> = {}
    await context.test('counts every word once', async () => {
      calm = await finished(await startCounting(broker, { run: 'calm', directory, pauseMicros: 0 }))
      assert.deepEqual(calm, countedHere())
    })
    await context.test('gives the same counts while the broker and the program are killed', async () => {
      const bounced = await countThroughFaults(broker, directory)
      assert.deepEqual(bounced, calm)
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function sendLines(broker: BrokerProcess): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  const messages = lines().map((value, line) => ({ value, partition: line % PARTITIONS }))
  await producer.send({ topic: 'lines', messages })
  await producer.disconnect()
}

/** Kills and stops the broker, and kills the program, each at a part of the work that was not reached before. */
async function countThroughFaults(broker: BrokerProcess, directory: string): Promise<Record<string, string[]>> {
  const life = { run: 'bounced', directory, pauseMicros: PAUSE_MICROS }
  let program = await startCounting(broker, life)
  try {
    const faults = ['kill the broker', 'stop the broker', 'kill the program', 'kill the broker']
    for (const [index, fault] of faults.entries()) {
      const share = ((index + 1) / (faults.length + 2)) * COUNTS
      await program.until(output => countsRead(output) >= share)
      const read = countsRead(program.stdout)
      assert.ok(read < COUNTS, `${fault}: everything was counted before`)
      console.log(`# ${fault} after ${read} of ${COUNTS} counts`)
      if (fault === 'kill the program') {
        program.kill('SIGKILL')
        await program.ended()
        program = await startCounting(broker, life)
      } else {
        if (fault === 'kill the broker') await broker.killHard()
        else await broker.stop()
        await broker.restart()
      }
    }
    return await finished(program)
  } finally {
    program.kill('SIGKILL')
  }
}

compatTest({
  tool: "Kafka Streams' word count with exactly_once_v2",
  install: () => jarSet('streams'),
  version: () => jarVersion('streams', 'kafka-streams'),
  steps,
})
