/** What may stand at the end of a log or in a checkpoint after the process died: none of it becomes records, and none is lost. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as p from '../../src/protocol/everything.ts'
import type { BrokerProcess } from '../compat/broker-process.ts'
import { createTopics } from '../compat/create-topics.ts'
import { report } from './cycles.ts'
import { IdempotentLoad } from './idempotent-load.ts'
import { lastLogFile } from './log-tail.ts'
import { withBroker } from './with-broker.ts'

const TOPIC = { name: 'numbers', partitions: 2 }

async function loaded(broker: BrokerProcess): Promise<IdempotentLoad> {
  const configEntries = [{ name: 'segment.bytes', value: '65536' }]
  await createTopics(broker, [{ topic: TOPIC.name, numPartitions: TOPIC.partitions, configEntries }])
  const load = new IdempotentLoad(broker.port, TOPIC, 500)
  await load.start()
  await load.more(300)
  return load
}

/** The last batch of a log. */
function lastBatch(log: Uint8Array): Buffer {
  const { position, length } = [...p.batches(log)].at(-1)!
  return Buffer.from(log.subarray(position, position + length))
}

function withFlippedBit(batch: Buffer): Buffer {
  batch[batch.length - 3]! ^= 0x04
  return batch
}

/** As if it were the next one. */
function withNextOffset(batch: Buffer): Buffer {
  const { baseOffset, lastOffset } = p.nextBatch(batch, 0)!
  batch.writeBigInt64BE(BigInt(2 * (lastOffset + 1) - baseOffset))
  return batch
}

const TAILS: Readonly<Record<string, (log: Uint8Array) => Uint8Array>> = {
  zeros: () => Buffer.alloc(16_384),
  noise: () => randomBytes(5_000),
  'a few bytes': () => randomBytes(7),
  'half a batch': log => withNextOffset(lastBatch(log)).subarray(0, 200),
  'a batch with a wrong sum': log => withFlippedBit(withNextOffset(lastBatch(log))),
  'a batch that is there already': lastBatch,
}

test('whatever stands behind the last whole batch after kill -9 is cut off and never read as records', async context => {
  await withBroker({}, async broker => {
    const load = await loaded(broker)
    let cut = 0
    for (const [kind, tail] of Object.entries(TAILS)) {
      await load.more(50)
      await broker.killHard()
      let added = 0
      for (let partition = 0; partition < TOPIC.partitions; partition++) {
        const file = lastLogFile(broker.logDirectory, `${TOPIC.name}-${partition}`)
        const bytes = tail(readFileSync(file))
        appendFileSync(file, bytes)
        added += bytes.length
      }
      await broker.restart()
      const told = [...broker.log.matchAll(/bytesCut=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
      // Of what the kill interrupted there may be a part, too.
      assert.ok(told >= added, `${kind}: ${told} of ${added} bytes were cut`)
      cut += told
    }
    await load.more(50)
    await load.stop()
    report(context.name, { 'kinds of tails': Object.keys(TAILS).length, 'bytes cut': cut, ...(await load.audit()) })
  })
})

const CHECKPOINT_DAMAGE: Readonly<Record<string, (text: string) => string | undefined>> = {
  gone: () => undefined,
  empty: () => '',
  'cut off': text => text.slice(0, text.length / 2),
  'without its last line': text => text.slice(0, text.trimEnd().lastIndexOf('\n') + 1),
  'of another version': text => text.replace(/^0/, '7'),
  'with lines that are none': text => `${text}numbers 0\nnumbers one 1\n`,
  noise: text => randomBytes(text.length).toString('latin1'),
  'with offsets below 0': text => text.replaceAll(/ \d+\n/g, ' -5\n'),
}

test('offset checkpoints that are damaged or gone cost a longer recovery and no record', async context => {
  const properties = { 'log.flush.offset.checkpoint.interval.ms': '50', 'log.flush.scheduler.interval.ms': '20' }
  await withBroker({ properties }, async broker => {
    const load = await loaded(broker)
    let damaged = 0
    for (const damage of Object.values(CHECKPOINT_DAMAGE)) {
      await load.more(30)
      // A clean stop leaves no log to be recovered that its checkpoints would speak of.
      await broker.killHard()
      const names = readdirSync(broker.logDirectory).filter(name => name.endsWith('-offset-checkpoint'))
      for (const name of names) {
        const file = join(broker.logDirectory, name)
        const text = damage(readFileSync(file, 'utf8'))
        if (text === undefined) rmSync(file)
        else writeFileSync(file, text, 'latin1')
        damaged++
      }
      await broker.restart()
    }
    await load.more(30)
    await load.stop()
    assert.ok(damaged >= 2 * Object.keys(CHECKPOINT_DAMAGE).length, `${damaged} files`)
    report(context.name, { 'files damaged': damaged, ...(await load.audit()) })
  })
})
