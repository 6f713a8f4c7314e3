import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimulatedClock } from '../platform/index.ts'
import { ErrorCode, errorName } from '../protocol/index.ts'
import { NOW_MS, openController, openStore, topic } from './controller.fixture.ts'

const TOPIC = 2
const BROKER = 4
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
const IN_RESOURCE = "Invalid config value for resource ConfigResource(type=TOPIC, name='t1'):"

async function open() {
  const clock = new SimulatedClock(NOW_MS)
  const store = await openStore(new MemoryDisk(), clock)
  const { zooKeeper, metadata, config, controller } = await openController({ store, clock, join: { endpoints: [] } })
  await controller.createTopics([topic('t1')])
  const alter = async (type: number, name: string, ...changes: (readonly [string, string | null, number?])[]) => {
    const [result] = await controller.incrementalAlterConfigs({
      resources: [
        {
          resourceType: type,
          resourceName: name,
          configs: changes.map(([key, value, operation = SET]) => ({
            name: key,
            value,
            configOperation: operation ?? 0,
          })),
        },
      ],
      validateOnly: false,
    })
    return result && toldOf(result)
  }
  const read = async (path: string) => Buffer.from((await zooKeeper.getData(path)).data ?? []).toString()
  return { controller, config, metadata, zooKeeper, clock, alter, read }
}

function toldOf({ errorCode, errorMessage }: { readonly errorCode: number; readonly errorMessage: string | null }) {
  return errorCode === ErrorCode.NONE ? 'NONE' : `${errorName(errorCode)}: ${errorMessage}`
}

test('settings of a topic are set, appended to, subtracted from and deleted', async () => {
  const { alter, read, metadata, zooKeeper } = await open()
  assert.equal(await alter(TOPIC, 't1', ['retention.ms', '5000']), 'NONE')
  assert.equal(await read('/config/topics/t1'), '{"version":1,"config":{"retention.ms":"5000"}}')
  assert.equal(await alter(TOPIC, 't1', ['cleanup.policy', 'compact', APPEND]), 'NONE')
  assert.equal(await alter(TOPIC, 't1', ['cleanup.policy', 'compact', APPEND]), 'NONE')
  assert.equal(metadata.image().config('topics', 't1').get('cleanup.policy'), 'delete,compact')
  assert.equal(await alter(TOPIC, 't1', ['cleanup.policy', 'delete', SUBTRACT]), 'NONE')
  assert.equal(await alter(TOPIC, 't1', ['retention.ms', '', DELETE]), 'NONE')
  assert.equal(await alter(TOPIC, 't1', ['foo', null, DELETE]), 'NONE')
  assert.equal(await read('/config/topics/t1'), '{"version":1,"config":{"cleanup.policy":"compact"}}')
  assert.equal(await read('/config/changes/config_change_0000000000'), '{"version":2,"entity_path":"topics/t1"}')
  assert.equal((await zooKeeper.getChildren('/config/changes')).children.length, 6)
})

test('changes are refused with the codes and words of Kafka', async () => {
  const { alter } = await open()
  const cases: [Parameters<typeof alter>, string][] = [
    [[TOPIC, 't1', ['retention.ms', null]], 'INVALID_REQUEST: Null value not supported for : retention.ms'],
    [
      [TOPIC, 't1', ['retention.ms', '5', APPEND]],
      'INVALID_CONFIG: Config value append is not allowed for config key: retention.ms',
    ],
    [
      [TOPIC, 't1', ['retention.ms', '5', SUBTRACT]],
      'INVALID_CONFIG: Config value subtract is not allowed for config key: retention.ms',
    ],
    [
      [TOPIC, 't1', ['retention.ms', '5'], ['retention.ms', '6']],
      'INVALID_REQUEST: Error due to duplicate config keys',
    ],
    [[TOPIC, 't1', ['foo', '6']], 'INVALID_CONFIG: Unknown topic config name: foo'],
    [
      [TOPIC, 't1', ['retention.ms', 'x']],
      `INVALID_CONFIG: ${IN_RESOURCE} Invalid value x for configuration retention.ms: Not a number of type LONG`,
    ],
    [
      [TOPIC, 't1', ['retention.ms', '-5']],
      `INVALID_CONFIG: ${IN_RESOURCE} Invalid value -5 for configuration retention.ms: Value must be at least -1`,
    ],
    [[TOPIC, 'nope', ['retention.ms', '5']], "UNKNOWN_TOPIC_OR_PARTITION: The topic 'nope' does not exist."],
    [[TOPIC, '', ['retention.ms', '5']], 'INVALID_REQUEST: Default topic resources are not allowed.'],
    [[BROKER, '0', ['broker.id', '2']], 'INVALID_REQUEST: Cannot update these configs dynamically: Set(broker.id)'],
    [
      [BROKER, '', ['advertised.listeners', 'PLAINTEXT://127.0.0.1:1']],
      'INVALID_REQUEST: Cannot update these configs at default cluster level, broker id must be specified: Set(advertised.listeners)',
    ],
    [
      [BROKER, '0', ['log.cleaner.threads', 'x']],
      'INVALID_REQUEST: Invalid value x for configuration log.cleaner.threads: Not a number of type INT',
    ],
    [[BROKER, '9', ['log.cleaner.threads', '2']], 'INVALID_REQUEST: Unexpected broker id, expected 0, but received 9'],
    [[BROKER, 'x', ['log.cleaner.threads', '2']], 'INVALID_REQUEST: Broker id must be an integer, but it is: x'],
    [[8, '0', ['kafka.server', 'INFO']], 'INVALID_CONFIG: Logger kafka.server does not exist!'],
    [
      [8, '0', ['kafka.server', 'INFO', APPEND]],
      'INVALID_REQUEST: APPEND operation is not allowed for the BROKER_LOGGER resource',
    ],
    [
      [16, 'x', ['metrics', '*']],
      'INVALID_REQUEST: AlterConfigs is only supported for topics and brokers, but resource type is CLIENT_METRICS',
    ],
  ]
  for (const [change, expected] of cases) assert.equal(await alter(...change), expected)
})

test('settings of brokers take effect, those of this broker before those of all', async () => {
  const { alter, config, read } = await open()
  assert.equal(await alter(BROKER, '', ['log.cleaner.threads', '2']), 'NONE')
  assert.equal(config.get('log.cleaner.threads'), 2)
  assert.equal(await alter(BROKER, '0', ['log.cleaner.threads', '1']), 'NONE')
  assert.equal(config.get('log.cleaner.threads'), 1)
  assert.equal(await alter(BROKER, '0', ['log.cleaner.threads', '', DELETE]), 'NONE')
  assert.equal(config.get('log.cleaner.threads'), 2)
  assert.equal(await read('/config/brokers/<default>'), '{"version":1,"config":{"log.cleaner.threads":"2"}}')
})

test('AlterConfigs replaces all settings', async () => {
  const { controller, alter, metadata } = await open()
  await alter(TOPIC, 't1', ['retention.ms', '77'])
  const configs = [{ name: 'retention.bytes', value: '78' }]
  const resources = [{ resourceType: TOPIC, resourceName: 't1', configs }]
  const checked = await controller.alterConfigs({ resources, validateOnly: true })
  assert.deepEqual(checked.map(toldOf), ['NONE'])
  assert.equal(metadata.image().config('topics', 't1').get('retention.ms'), '77')
  await controller.alterConfigs({ resources, validateOnly: false })
  assert.deepEqual([...metadata.image().config('topics', 't1')], [['retention.bytes', '78']])
})

test('settings are described with their source', async () => {
  const { controller, alter } = await open()
  await alter(TOPIC, 't1', ['retention.ms', '77'])
  const describe = (resourceType: number, resourceName: string, configurationKeys: string[] | null = null) => {
    const request = { resources: [{ resourceType, resourceName, configurationKeys }] }
    return controller.describeConfigs({ ...request, includeSynonyms: true, includeDocumentation: false })[0]
  }
  const [retention] = describe(TOPIC, 't1', ['retention.ms'])?.configs ?? []
  assert.deepEqual(
    [retention?.name, retention?.value, retention?.configSource, retention?.readOnly],
    ['retention.ms', '77', 1, false],
  )
  assert.equal(describe(BROKER, '0', ['broker.id'])?.configs[0]?.readOnly, true)
  assert.deepEqual(describe(BROKER, '')?.configs, [])
  const failed = (type: number, name: string) => {
    const result = describe(type, name)
    return result && toldOf(result)
  }
  assert.equal(failed(TOPIC, 'nope'), 'UNKNOWN_TOPIC_OR_PARTITION: ')
  assert.equal(failed(TOPIC, ''), 'INVALID_TOPIC_EXCEPTION: Topic name is invalid: the empty string is not allowed')
  assert.equal(failed(BROKER, '7'), 'INVALID_REQUEST: Unexpected broker id, expected 0 or empty string, but received 7')
  assert.equal(failed(16, 'x'), 'INVALID_REQUEST: Config type client-metrics is only supported on KRaft clusters')
})

test('change notifications are removed after a while', async () => {
  const { alter, zooKeeper, clock } = await open()
  for (let minute = 0; minute < 60; minute += 1) {
    await alter(TOPIC, 't1', ['retention.ms', String(minute)])
    clock.jumpWallClock(60_000)
  }
  assert.equal((await zooKeeper.getChildren('/config/changes')).children.length, 16)
})
