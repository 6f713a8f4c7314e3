import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimulatedClock } from '../platform/index.ts'
import { errorName } from '../protocol/index.ts'
import { NOW_MS, openController, openStore } from './controller.fixture.ts'

type Entity = Readonly<Record<string, string | null>>
const [EXACT, DEFAULT, ANY] = [0, 1, 2]
const RATE = 'connection_creation_rate'

async function open(disk = new MemoryDisk()) {
  const clock = new SimulatedClock(NOW_MS)
  const store = await openStore(disk, clock)
  const { zooKeeper, metadata, controller } = await openController({ store, clock, join: { endpoints: [] } })
  const alter = async (of: Entity, values: Readonly<Record<string, number | null>>, validateOnly = false) => {
    const entity = Object.entries(of).map(([entityType, entityName]) => ({ entityType, entityName }))
    const ops = Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }))
    const [result] = await controller.alterClientQuotas({ entries: [{ entity, ops }], validateOnly })
    assert.deepEqual(result!.entity, entity)
    return result!.errorCode === 0 ? 'NONE' : `${errorName(result!.errorCode)}: ${result!.errorMessage}`
  }
  const describe = (...filter: readonly (readonly [type: string, matchType: number, match?: string])[]) =>
    controller
      .describeClientQuotas({
        components: filter.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
        strict: filter.length > 0,
      })
      .map(({ entity, values }) => [
        entity.map(({ entityType, entityName }) => `${entityType} ${entityName}`).join(', '),
        Object.fromEntries(values.map(({ key, value }) => [key, value])),
      ])
  const read = async (path: string) => Buffer.from((await zooKeeper.getData(path)).data ?? []).toString()
  const put = (path: string, text: string) => zooKeeper.create(path, Buffer.from(text), { mode: 'persistent' })
  return { controller, metadata, store, alter, describe, read, put }
}

test('a quota of an address is set, described, kept through a restart and removed', async () => {
  const disk = new MemoryDisk()
  const before = await open(disk)
  assert.equal(await before.alter({ ip: '10.0.0.1' }, { [RATE]: 7 }), 'NONE')
  assert.equal(await before.alter({ ip: null }, { [RATE]: 100 }), 'NONE')
  assert.equal(await before.read('/config/ips/10.0.0.1'), '{"version":1,"config":{"connection_creation_rate":"7"}}')
  assert.equal(
    await before.read('/config/changes/config_change_0000000000'),
    '{"version":2,"entity_path":"ips/10.0.0.1"}',
  )
  await before.store.close()
  const { alter, describe, metadata } = await open(disk)
  assert.deepEqual(describe(['ip', EXACT, '10.0.0.1']), [['ip 10.0.0.1', { [RATE]: 7 }]])
  assert.deepEqual(describe(['ip', DEFAULT]), [['ip null', { [RATE]: 100 }]])
  assert.deepEqual(
    describe(['ip', ANY])
      .map(([entity]) => entity)
      .sort(),
    ['ip 10.0.0.1', 'ip null'],
  )
  assert.equal(await alter({ ip: '10.0.0.1' }, { [RATE]: null }), 'NONE')
  assert.equal(metadata.image().config('ips', '10.0.0.1').size, 0)
  assert.deepEqual(
    describe().map(([entity]) => entity),
    ['ip null'],
  )
})

test('an address is kept as connections show theirs', async () => {
  const { alter, describe } = await open()
  assert.equal(await alter({ ip: '0:0:0:0:0:0:0:1' }, { [RATE]: 7 }), 'NONE')
  assert.deepEqual(describe(['ip', ANY]), [['ip ::1', { [RATE]: 7 }]])
})

test('what is only checked changes nothing', async () => {
  const { alter, describe } = await open()
  assert.equal(await alter({ ip: '10.0.0.1' }, { [RATE]: 7 }, true), 'NONE')
  assert.deepEqual(describe(), [])
})

test('quotas that cannot be are refused, each with its reason', async () => {
  const { alter, describe } = await open()
  const cases: readonly (readonly [Entity, Readonly<Record<string, number>>, RegExp])[] = [
    [{}, { [RATE]: 1 }, /^INVALID_REQUEST: Invalid empty client quota entity$/],
    [{ ip: '' }, { [RATE]: 1 }, /^INVALID_REQUEST: Empty ip not supported$/],
    [{ ip: 'some.host' }, { [RATE]: 1 }, /^INVALID_REQUEST: some.host is not a valid IP/],
    [{ ip: '10.0.0.1' }, { producer_byte_rate: 1 }, /^INVALID_REQUEST: Invalid configuration key producer_byte_rate$/],
    [
      { ip: '10.0.0.1' },
      { [RATE]: 1.5 },
      /^INVALID_REQUEST: Configuration connection_creation_rate must be a INT value$/,
    ],
    [
      { ip: '10.0.0.1' },
      { [RATE]: -1 },
      /^INVALID_REQUEST: Configuration connection_creation_rate must be a INT value$/,
    ],
    [{ ip: '10.0.0.1' }, { [RATE]: 2 ** 31 }, /^INVALID_REQUEST: /],
    [{ ip: '10.0.0.1', user: 'u' }, { [RATE]: 1 }, /^INVALID_REQUEST: Invalid quota entity combination, IP entity/],
    [{ user: 'u' }, { producer_byte_rate: 1 }, /^UNSUPPORTED_VERSION: quotas of user are not there yet/],
    [{ planet: 'x' }, { [RATE]: 1 }, /^INVALID_REQUEST: Unhandled client quota entity type: planet$/],
  ]
  for (const [entity, values, told] of cases) assert.match(await alter(entity, values), told)
  assert.deepEqual(describe(), [])
})

test('quotas that another Kafka left are described', async () => {
  const disk = new MemoryDisk()
  const before = await open(disk)
  await before.put('/config/clients/a%20b', '{"version":1,"config":{"producer_byte_rate":"10","SCRAM-SHA-256":"x"}}')
  await before.put('/config/users/u', '{"version":1,"config":{}}')
  await before.put('/config/users/u/clients', '')
  await before.put('/config/users/u/clients/<default>', '{"version":1,"config":{"request_percentage":"12.5"}}')
  await before.store.close()
  const { describe } = await open(disk)
  const both = ['user u, client-id null', { request_percentage: 12.5 }]
  assert.deepEqual(describe(['client-id', ANY]), [['client-id a b', { producer_byte_rate: 10 }]])
  assert.deepEqual(describe(['user', ANY], ['client-id', DEFAULT]), [both])
  assert.deepEqual(describe(['user', ANY]), [])
  assert.equal(describe().length, 2)
})

test('filters that make no sense are refused', async () => {
  const { describe } = await open()
  assert.throws(() => describe(['planet', ANY]), { code: 'UNSUPPORTED_VERSION' })
  assert.throws(() => describe(['', ANY]), { code: 'INVALID_REQUEST' })
  assert.throws(() => describe(['ip', ANY], ['ip', ANY]), { code: 'INVALID_REQUEST' })
  assert.throws(() => describe(['ip', ANY], ['user', ANY]), { code: 'INVALID_REQUEST' })
  assert.throws(() => describe(['ip', 9]), { code: 'UNSUPPORTED_VERSION' })
})
