import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { AdjustableClock, systemClock } from '../../src/platform/index.ts'
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from '../../src/protocol/everything.ts'
import { TestBroker } from './test-broker.ts'

/** A quota of 1 lets one connection in a second; one of 0, the slowest there is, one in a minute. */
const NARROW = { 'quota.window.num': '2', 'quota.window.size.seconds': '1' }
const SLOWEST = { 'quota.window.num': '2', 'quota.window.size.seconds': '60' }
const MINUTE_MS = 60_000

async function setRate(client: WireClient, entityName: string | null, perSecond: number | undefined): Promise<void> {
  const entity = [{ entityType: 'ip', entityName }]
  const ops = [{ key: 'connection_creation_rate', value: perSecond ?? 0, remove: perSecond === undefined }]
  const { entries } = await client.call([AlterClientQuotasRequest, AlterClientQuotasResponse], 1, {
    entries: [{ entity, ops }],
    validateOnly: false,
  })
  assert.equal(entries[0]?.errorCode, 0, entries[0]?.errorMessage ?? '')
}

test('an address above its connection_creation_rate is closed, until the quota is taken back', async () => {
  const clock = new AdjustableClock(systemClock)
  const broker = await TestBroker.start(SLOWEST, clock)
  try {
    const client = await broker.connect()
    for (const entityName of ['127.0.0.1', null]) {
      await setRate(client, entityName, 0)
      const [served, refused] = [await broker.connect(), await broker.connect()]
      await refused.until(() => refused.isClosed, 'the end of the second connection')
      assert.equal(served.isClosed, false)
      await setRate(served, entityName, undefined)
      const others = await Promise.all(Array.from({ length: 20 }, () => broker.connect()))
      for (const other of others) await setRate(other, '10.9.8.7', 1)
      for (const other of [served, ...others]) other.close()
      clock.advance(2 * MINUTE_MS)
    }
    client.close()
  } finally {
    await broker.stop()
  }
})

test('the quota of an address comes before that of all, and holds for no other', async () => {
  const broker = await TestBroker.start(NARROW)
  try {
    const client = await broker.connect()
    await setRate(client, '127.0.0.1', 1_000)
    await setRate(client, null, 1)
    await setRate(client, '127.0.0.2', 0)
    const others = await Promise.all(Array.from({ length: 20 }, () => broker.connect()))
    for (const other of others) await setRate(other, '10.9.8.7', 1)
    for (const other of [client, ...others]) other.close()
  } finally {
    await broker.stop()
  }
})
