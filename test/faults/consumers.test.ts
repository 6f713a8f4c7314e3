/** Consumers that are killed or put to sleep while they work. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import kafkajs from 'kafkajs'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { withAdmin } from '../compat/directory-copy.ts'
import { RunningProgram } from '../compat/process.ts'
import { cycles, report } from './cycles.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = 'work'
const GROUP = 'workers'
const PARTITIONS = 4
const COMMIT_EVERY = 10
const PROPERTIES = { 'offsets.topic.num.partitions': '2', 'group.min.session.timeout.ms': '500' }
const PROGRAM = fileURLToPath(new URL('consumer-process.js', import.meta.url))

type Offsets = Readonly<Record<string, number>>

interface Line {
  readonly partition?: number
  readonly offset?: number
  readonly assigned?: readonly number[]
  readonly committing?: Offsets
  readonly committed?: Offsets
  readonly refused?: string
  readonly sleeping?: boolean
}

/** A running consumer and what it has said. */
class Worker {
  readonly program: RunningProgram

  constructor(broker: BrokerProcess) {
    this.program = new RunningProgram(process.execPath, [PROGRAM, broker.bootstrap, GROUP, TOPIC, `${COMMIT_EVERY}`])
  }

  get lines(): Line[] {
    const whole = this.program.stdout.slice(0, this.program.stdout.lastIndexOf('\n') + 1)
    return whole
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Line)
  }

  until(seen: (lines: readonly Line[]) => boolean): Promise<void> {
    return this.program.until(() => seen(this.lines))
  }

  async kill(): Promise<void> {
    this.program.kill('SIGKILL')
    await this.program.ended()
  }
}

async function withWork(records: number, body: (broker: BrokerProcess) => Promise<void>): Promise<void> {
  await withBroker({ properties: PROPERTIES }, async broker => {
    await createTopics(broker, [{ topic: TOPIC, numPartitions: PARTITIONS }])
    const client = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
    const producer = client.producer()
    await producer.connect()
    const messages = Array.from({ length: records }, (_, index) => ({
      value: `${index}`,
      partition: index % PARTITIONS,
    }))
    await producer.send({ topic: TOPIC, messages })
    await producer.disconnect()
    await body(broker)
  })
}

/** What the group has committed, by partition; 0 where there is nothing. */
async function committed(broker: BrokerProcess): Promise<number[]> {
  const [group] = await withAdmin(broker, admin => admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] }))
  const offsets = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  return Array.from({ length: PARTITIONS }, (_, partition) => Math.max(0, offsets.get(partition) ?? 0))
}

test('a consumer that is killed while it works or commits has nothing skipped, and no more redelivered than was not committed', async context => {
  const lives = cycles(5)
  await withWork(4_000, async broker => {
    const acknowledged = new Array<number>(PARTITIONS).fill(0)
    const attempted = new Array<number>(PARTITIONS).fill(0)
    const reached = new Array<number>(PARTITIONS).fill(0)
    let [redelivered, most, commits] = [0, 0, 0]
    for (let life = 0; life < lives; life++) {
      const worker = new Worker(broker)
      // Every other death comes between the work and the answer to its commit.
      const isAtCommit = (line: Line | undefined): boolean => life % 2 === 0 || line?.committing !== undefined
      await worker.until(lines => lines.filter(line => line.committed).length >= 5 && isAtCommit(lines.at(-1)))
      await worker.kill()
      const started = new Set<number>()
      const before = [...reached]
      for (const { partition, offset, committing, committed: done } of worker.lines) {
        if (partition !== undefined && offset !== undefined) {
          if (!started.has(partition)) {
            started.add(partition)
            const isCommitted = offset >= acknowledged[partition]! && offset <= attempted[partition]!
            assert.ok(isCommitted, `${partition} goes on at ${offset}, committed ${acknowledged[partition]}`)
            redelivered += before[partition]! - offset
            most = Math.max(most, before[partition]! - offset)
          }
          assert.ok(offset <= reached[partition]!, `offset ${reached[partition]} of ${partition} was skipped`)
          reached[partition] = Math.max(reached[partition]!, offset + 1)
        }
        for (const [index, next] of Object.entries(committing ?? {})) attempted[Number(index)] = next
        for (const [index, next] of Object.entries(done ?? {})) acknowledged[Number(index)] = next
        if (done) commits++
      }
      const now = await committed(broker)
      for (const [partition, offset] of now.entries()) {
        assert.ok(offset === acknowledged[partition] || offset === attempted[partition], `${partition}: ${offset}`)
        acknowledged[partition] = offset
      }
    }
    assert.ok(most <= COMMIT_EVERY, `${most} records of a partition were redelivered`)
    report(context.name, {
      kills: lives,
      'commits acknowledged': commits,
      redelivered,
      'at most from one partition': most,
    })
  })
})

test('a consumer that slept longer than its session has its commit refused, and takes nothing from its successor', async context => {
  const rounds = cycles(2)
  await withWork(20_000, async broker => {
    let refused = 0
    const workers = [new Worker(broker)]
    const sleeper = workers[0]!
    try {
      await sleeper.until(lines => lines.some(line => line.committed))
      for (let round = 0; round < rounds; round++) {
        const successor = new Worker(broker)
        workers.push(successor)
        await Promise.all([sleeper, successor].map(worker => worker.until(isSharing)))
        sleeper.program.kill('SIGUSR2')
        await sleeper.until(lines => lines.at(-1)?.sleeping === true)
        const asleep = sleeper.lines.length
        await successor.until(hasAllAndCommits)
        const before = await committed(broker)
        sleeper.program.kill('SIGCONT')
        const answered = (line: Line): boolean => line.refused !== undefined || line.committed !== undefined
        await sleeper.until(lines => lines.slice(asleep).some(answered))
        const first = sleeper.lines.slice(asleep).find(answered)
        assert.match(first?.refused ?? 'committed', /^(UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|REBALANCE_IN_PROGRESS)$/)
        refused++
        for (const [partition, offset] of (await committed(broker)).entries()) {
          assert.ok(offset >= before[partition]!, `${partition} went back from ${before[partition]} to ${offset}`)
        }
        await successor.kill()
        await sleeper.until(hasAllAndCommits)
      }
    } finally {
      for (const worker of workers) if (worker.program.running) await worker.kill()
    }
    report(context.name, { 'commits refused': refused })
  })
})

/** The last partitions that came are not all of them, and a commit of them was acknowledged. */
function isSharing(lines: readonly Line[]): boolean {
  const last = lines.findLastIndex(line => line.assigned)
  return last >= 0 && lines[last]!.assigned!.length < PARTITIONS && lines.slice(last).some(line => line.committed)
}

/** The last partitions that came are all of them, and a commit of them was acknowledged. */
function hasAllAndCommits(lines: readonly Line[]): boolean {
  const last = lines.findLastIndex(line => line.assigned)
  return last >= 0 && lines[last]!.assigned!.length === PARTITIONS && lines.slice(last).some(line => line.committed)
}
