/** kill -9 while producers write and while the broker recovers; and a clean stop, which leaves nothing to recover. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { sleep } from '../compat/process.ts'
import { cycles, report } from './cycles.ts'
import { IdempotentLoad } from './idempotent-load.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = { name: 'numbers', partitions: 3 }
const SMALL_SEGMENTS = [{ name: 'segment.bytes', value: '65536' }]
const RECOVERED = /recovered segment|after an unclean stop/
const STARTED = /\[KafkaServer id=0\] started/

async function loaded(broker: BrokerProcess, payloadBytes?: number): Promise<IdempotentLoad> {
  await createTopics(broker, [{ topic: TOPIC.name, numPartitions: TOPIC.partitions, configEntries: SMALL_SEGMENTS }])
  const load = new IdempotentLoad(broker.port, TOPIC, payloadBytes)
  await load.start()
  return load
}

test('kill -9 during produce loses no acknowledged record, and a record sent again is stored once', async () => {
  const kills = cycles(20)
  await withBroker({}, async broker => {
    const load = await loaded(broker)
    for (let kill = 0; kill < kills; kill++) {
      await load.more(150)
      await broker.killHard()
      await broker.restart()
    }
    await load.more(150)
    await load.stop()
    const audit = await load.audit()
    assert.ok(audit.acknowledged >= kills * 150, `only ${audit.acknowledged} records were acknowledged`)
    assert.ok(load.broken >= kills, 'each kill broke a connection')
    report('kill -9 during produce', { kills, ...audit, 'broken requests': load.broken })
  })
})

test('kill -9 at any moment of recovery leaves what one undisturbed recovery leaves', async () => {
  const kills = cycles(50)
  await withBroker({}, async broker => {
    const load = await loaded(broker, 2_000)
    await load.more(1_500)
    await broker.killHard()
    await load.stop()
    const copy = mkdtempSync(join(tmpdir(), 'monedula-undisturbed-'))
    try {
      cpSync(broker.directory, copy, { recursive: true })
      const cut = await killStarts(broker, kills)
      await broker.restart()
      const audit = await load.audit()
      await broker.stop()
      await broker.withDirectory(copy, async undisturbed => {
        await undisturbed.restart()
        await undisturbed.stop()
        assert.deepEqual(logFiles(broker.logDirectory), logFiles(undisturbed.logDirectory))
      })
      assert.ok(audit.acknowledged >= 1_500)
      assert.ok(cut >= kills / 2, `only ${cut} of ${kills} kills came before the start was complete`)
      report('kill -9 during recovery', { kills, 'before the start was complete': cut, ...audit })
    } finally {
      rmSync(copy, { recursive: true })
    }
  })
})

/** Starts and kills at moments spread over a whole start; returns how many came before its end. */
async function killStarts(broker: BrokerProcess, kills: number): Promise<number> {
  let before = 0
  let began = performance.now()
  await (await broker.spawn()).until(() => STARTED.test(broker.log))
  await broker.killHard()
  let wholeMs = performance.now() - began
  for (let kill = 0; kill < kills; kill++) {
    began = performance.now()
    await broker.spawn()
    await sleep((wholeMs * (kill + 1)) / kills)
    await broker.killHard()
    if (!STARTED.test(broker.log)) before++
    // The machine had more to do when the longer start was measured.
    else wholeMs = Math.min(wholeMs, performance.now() - began)
  }
  return before
}

/** The bytes of each log and the names of the other files of the partitions. */
function logFiles(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name =>
    /-\d+\/\d{20}\./.test(name),
  )
  const contents = names.map(name => [name, name.endsWith('.log') ? readFileSync(join(directory, name), 'hex') : ''])
  return Object.fromEntries(contents.sort()) as Record<string, string>
}

test('after a clean stop nothing is recovered, and after kill -9 it is', async () => {
  await withBroker({}, async broker => {
    const load = await loaded(broker)
    await load.more(600)
    await load.stop()
    await broker.stop()
    await broker.restart()
    assert.doesNotMatch(broker.log, RECOVERED)
    const audit = await load.audit()
    await broker.killHard()
    await broker.restart()
    assert.match(broker.log, RECOVERED)
    report('a clean stop', { ...audit })
  })
})
