/** Consume, transform, produce: Kafka's TransactionalMessageCopier while brokers and copiers are killed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { kafkaJars } from '../compat/jars.ts'
import { startJava } from '../compat/java.ts'
import { type RunningProgram, until } from '../compat/process.ts'
import { toolOrSkip } from '../compat/tools.ts'
import { CommittedReader } from './committed-reader.ts'
import { report } from './cycles.ts'
import { readPartition } from './partition-reader.ts'
import { withBroker } from './with-broker.ts'

const COPIER = 'org.apache.kafka.tools.TransactionalMessageCopier'
const PARTITIONS = 3
const MESSAGES = 2_000
const ALL = PARTITIONS * MESSAGES
const FAULTS = ['kill the broker', 'kill a copier', 'kill the broker', 'kill a copier', 'stop the broker'] as const
const PROPERTIES = {
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}

/** Members of one group that copy `input` to `output`; one that ends before the work does is started again. */
class Copiers {
  readonly #broker: BrokerProcess
  readonly #programs: RunningProgram[] = []
  /** Copiers that gave up by themselves. */
  failures = 0

  constructor(broker: BrokerProcess) {
    this.#broker = broker
  }

  async start(index: number): Promise<void> {
    const args = [
      ['--broker-list', this.#broker.bootstrap, '--transactional-id', `copier-${index}`],
      ['--consumer-group', 'copiers', '--group-mode', '--use-group-metadata', '--enable-random-aborts'],
      ['--input-topic', 'input', '--input-partition', '0', '--output-topic', 'output'],
      ['--transaction-size', '40', '--transaction-timeout', '30000'],
    ].flat()
    this.#programs[index] = await startJava(COPIER, args)
  }

  /** kill -9, and a new life with the same transactional id. */
  async kill(index: number): Promise<void> {
    this.#programs[index]!.kill('SIGKILL')
    await this.#programs[index]!.ended()
    await this.start(index)
  }

  /** Starts again what has ended: a failure, or a member that had nothing left to copy at that time. */
  async revive(): Promise<void> {
    for (const [index, program] of this.#programs.entries()) {
      if (program.running) continue
      if ((await program.ended(0)) !== 0) {
        this.failures++
        console.log(`# a copier gave up: ${/unexpected error (\w+: .*)/.exec(program.stderr)?.[1] ?? program.stderr}`)
      }
      await this.start(index)
    }
  }

  end(): void {
    for (const program of this.#programs) program.kill('SIGKILL')
  }
}

test('consume-transform-produce through kills of the broker and of copiers gives each input once, in order', async context => {
  if ((await toolOrSkip(context, 'Apache Kafka', kafkaJars)) === undefined) return
  await withBroker({ properties: PROPERTIES }, async broker => {
    const topics = ['input', 'output'].map(topic => ({ topic, numPartitions: PARTITIONS }))
    await createTopics(broker, topics)
    await sendInput(broker)
    const reader = new CommittedReader(broker.port, { name: 'output', partitions: PARTITIONS })
    const copiers = new Copiers(broker)
    try {
      reader.start()
      for (let index = 0; index < PARTITIONS; index++) await copiers.start(index)
      for (const [index, fault] of FAULTS.entries()) {
        await untilCopied(((index + 1) / (FAULTS.length + 2)) * ALL, reader, copiers)
        assert.ok(reader.count < ALL, `${fault}: everything was copied before`)
        if (fault === 'kill a copier') await copiers.kill(index % PARTITIONS)
        else {
          await (fault === 'kill the broker' ? broker.killHard() : broker.stop())
          await broker.restart()
        }
      }
      await untilCopied(ALL, reader, copiers)
    } finally {
      copiers.end()
      await reader.stop()
    }
    await audit(broker, reader)
    const kills = FAULTS.filter(fault => fault.startsWith('kill')).length
    report(context.name, {
      kills,
      'messages copied': ALL,
      'reads cut off': reader.broken,
      'copiers that gave up': copiers.failures,
    })
  })
})

const inputOf = (partition: number): string[] =>
  Array.from({ length: MESSAGES }, (_, index) => `message ${index} of ${partition}`)

async function sendInput(broker: BrokerProcess): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const producer = client.producer()
  await producer.connect()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await producer.send({ topic: 'input', messages: inputOf(partition).map(value => ({ value, partition })) })
  }
  await producer.disconnect()
}

/** Waits until the reader has seen that many messages. */
async function untilCopied(count: number, reader: CommittedReader, copiers: Copiers): Promise<void> {
  await until(
    () => `${reader.count} of ${count} messages were copied`,
    async () => {
      if (reader.count >= count) return true
      await copiers.revive()
      return false
    },
    20,
  )
}

/** What the reader saw and what is read afterwards: the input, each message once, in order; and aborts that show in neither. */
async function audit(broker: BrokerProcess, reader: CommittedReader): Promise<void> {
  let stored = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const reading = { topic: 'output', partition }
    const committed = await readPartition(broker.port, { ...reading, isReadCommitted: true })
    const found = { beside: reader.values(partition), afterwards: committed.map(({ value }) => value) }
    for (const [when, values] of Object.entries(found)) {
      const wrong = inputOf(partition).findIndex((value, index) => values[index] !== value)
      assert.equal(wrong, -1, `${when}: ${partition} has ${values.slice(wrong, wrong + 3)} from ${wrong} on`)
      assert.equal(values.length, MESSAGES, `${when}: ${partition}`)
    }
    stored += (await readPartition(broker.port, reading)).length
  }
  assert.ok(stored > ALL, 'some transactions were aborted')
}
