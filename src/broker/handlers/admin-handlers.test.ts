/** The handlers of topics, settings, leaders, cluster and ACLs, over the wire's bytes, in every version. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { BrokerConfig, DynamicBrokerConfig } from '../../config/broker.ts'
import { Controller } from '../../controller/index.ts'
import { MetadataCache } from '../../metadata/index.ts'
import type { ServerConnection } from '../../network/index.ts'
import { MemoryDisk, SimulatedClock, seededRandom, silentLogger } from '../../platform/index.ts'
import {
  ByteReader,
  ByteWriter,
  decodeMessage,
  encoderOf,
  errorName,
  RequestHeader,
  ResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  ZERO_UUID,
} from '../../protocol/index.ts'
import { EmbeddedZooKeeper } from '../../zookeeper/index.ts'
import type { BrokerServices } from '../broker-services.ts'
import { RequestDispatcher } from '../request-dispatcher.ts'
import { handlers } from './index.ts'

let dispatcher: RequestDispatcher
let clusterId: string

before(async () => {
  const clock = new SimulatedClock(1_700_000_000_000)
  const logger = silentLogger
  const store = await EmbeddedZooKeeper.open({ disk: new MemoryDisk(), clock, logger, directory: '/zk' })
  const metadata = new MetadataCache()
  const config = new DynamicBrokerConfig(BrokerConfig.load({ 'broker.id': '0', 'zookeeper.connect': 'x:1' }))
  const random = seededRandom(1)
  const zooKeeper = store.connect()
  const controller = await Controller.open({ zooKeeper, metadata, config, brokerId: 0, clock, random, logger })
  clusterId = controller.clusterId
  const endpoint = { listener: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 } as const
  await controller.start({ endpoints: [endpoint], rack: 'r' })
  const services = {
    brokerId: 0,
    clusterId,
    clock,
    logger,
    config,
    controller,
    metadata,
    handlers,
  } as Partial<BrokerServices>
  dispatcher = new RequestDispatcher({
    handlers,
    services: { ...services, answersOnEveryInterface: () => false } as unknown as BrokerServices,
    logger,
    observer: { answered() {} },
    isVerbose: false,
  })
})

function allOf<T>(work: Iterator<unknown, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Sends a request as a client would; gives the decoded response. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of the response depends on the key
async function ask(apiKey: number, version: number, request: object): Promise<any> {
  const handler = handlers.find(candidate => candidate.apiKey === apiKey)
  assert.ok(handler)
  const writer = new ByteWriter()
  const header = { requestApiKey: apiKey, requestApiVersion: version, correlationId: 7, clientId: 'test' }
  encoderOf(RequestHeader, requestHeaderVersion(handler.request, version))(writer, header)
  encoderOf(handler.request, version)(writer, request)
  const connection = {
    listenerName: 'PLAINTEXT',
    remoteAddress: '127.0.0.1',
    remotePort: 1,
    account: <T>(work: () => T) => work(),
    inPieces: <T>(work: Iterator<unknown, T>) => allOf(work),
    hold() {},
  } as unknown as ServerConnection
  const reply = await dispatcher.process(writer.finish(), connection)
  assert.ok(Array.isArray(reply))
  const reader = new ByteReader(Buffer.concat(reply), 4)
  decodeMessage(ResponseHeader, responseHeaderVersion(handler.response, version), reader)
  return decodeMessage(handler.response, version, reader)
}

function versions(apiKey: number): number[] {
  const handler = handlers.find(candidate => candidate.apiKey === apiKey)
  assert.ok(handler)
  return Array.from({ length: handler.maxVersion - handler.minVersion + 1 }, (_, index) => handler.minVersion + index)
}

test('a topic is created, grown, described, changed and deleted in every version', async () => {
  for (const version of versions(19)) {
    const name = `v${version}`
    const request = { topics: [{ name, numPartitions: 2, replicationFactor: 1 }] }
    const [created] = (await ask(19, version, request)).topics
    assert.equal(created.errorCode, 0)
    if (version >= 5) {
      assert.equal(created.numPartitions, 2)
      assert.ok(created.configs.length > 20)
    }
    assert.equal(created.topicId !== ZERO_UUID, version >= 7)
    const [again] = (await ask(19, version, request)).topics
    assert.equal(errorName(again.errorCode), 'TOPIC_ALREADY_EXISTS')
  }
  for (const version of versions(37)) {
    const [grown] = (await ask(37, version, { topics: [{ name: 'v1', count: 3 + version, assignments: null }] }))
      .results
    assert.equal(grown.errorCode, 0)
  }
  for (const version of versions(44)) {
    const configs = [{ name: 'retention.ms', configOperation: 0, value: String(version) }]
    const resources = [{ resourceType: 2, resourceName: 'v1', configs }]
    assert.equal((await ask(44, version, { resources })).responses[0].errorCode, 0)
  }
  for (const version of versions(32)) {
    const keys = ['retention.ms', 'segment.bytes']
    const resources = [{ resourceType: 2, resourceName: 'v1', configurationKeys: keys }]
    const [described] = (await ask(32, version, { resources })).results
    assert.equal(described.configs[1].value, '1073741824')
    assert.equal(described.configs[1].isDefault, version === 0)
    const everything = await ask(32, version, {
      resources: [{ resourceType: 4, resourceName: '0', configurationKeys: null }],
      ...(version >= 1 ? { includeSynonyms: true } : {}),
      ...(version >= 3 ? { includeDocumentation: true } : {}),
    })
    assert.ok(everything.results[0].configs.length > 200)
    assert.equal(described.configs[0].value, '1')
    if (version === 0) assert.equal(described.configs[0].isDefault, false)
    else assert.equal(described.configs[0].configSource, 1)
  }
  for (const version of versions(33)) {
    const configs = [{ name: 'retention.bytes', value: '5' }]
    const resources = [{ resourceType: 2, resourceName: 'v1', configs }]
    assert.equal((await ask(33, version, { resources })).responses[0].errorCode, 0)
  }
  for (const version of versions(20)) {
    const name = `v${version}`
    const request = version >= 6 ? { topics: [{ name }] } : { topicNames: [name] }
    const [deleted] = (await ask(20, version, request)).responses
    assert.deepEqual([deleted.name, deleted.errorCode], [name, 0])
    const [missing] = (await ask(20, version, request)).responses
    assert.equal(errorName(missing.errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
  }
})

test('a topic to delete is named or given by id, not both', async () => {
  const [created] = (await ask(19, 7, { topics: [{ name: 'both', numPartitions: 1, replicationFactor: 1 }] })).topics
  const { topicId } = created
  const [refused] = (await ask(20, 6, { topics: [{ name: 'both', topicId }] })).responses
  assert.equal(errorName(refused.errorCode), 'INVALID_REQUEST')
  const [deleted] = (await ask(20, 6, { topics: [{ name: null, topicId }] })).responses
  assert.deepEqual([deleted.name, deleted.topicId, deleted.errorCode], ['both', topicId, 0])
})

test('leaders that lead already need no election', async () => {
  await ask(19, 7, { topics: [{ name: 'led', numPartitions: 1, replicationFactor: 1 }] })
  for (const version of versions(43)) {
    const topicPartitions = [{ topic: 'led', partitions: [0] }]
    const response = await ask(43, version, { topicPartitions })
    const [result] = response.replicaElectionResults[0].partitionResult
    assert.equal(errorName(result.errorCode), 'ELECTION_NOT_NEEDED')
    assert.deepEqual((await ask(43, version, { topicPartitions: null })).replicaElectionResults, [])
  }
})

test('the cluster is described, to those who know that it is brokers they talk to', async () => {
  for (const version of versions(60)) {
    const described = await ask(60, version, { includeClusterAuthorizedOperations: true })
    assert.equal(described.clusterId, clusterId)
    assert.equal(described.controllerId, 0)
    assert.deepEqual(described.brokers, [{ brokerId: 0, host: 'h', port: 9092, rack: 'r', isFenced: false }])
    assert.equal(described.clusterAuthorizedOperations, 8096)
  }
  const mismatched = await ask(60, 1, { endpointType: 2 })
  assert.equal(errorName(mismatched.errorCode), 'MISMATCHED_ENDPOINT_TYPE')
})

test('ACLs are answered as by a broker without an authorizer', async () => {
  for (const version of versions(29)) {
    const described = await ask(29, version, { operation: 1 })
    assert.equal(errorName(described.errorCode), 'SECURITY_DISABLED')
    assert.equal(described.errorMessage, 'No Authorizer is configured on the broker')
    const created = await ask(30, version, { creations: [{}, {}] })
    assert.deepEqual(
      created.results.map(({ errorCode }: { errorCode: number }) => errorName(errorCode)),
      ['SECURITY_DISABLED', 'SECURITY_DISABLED'],
    )
    const deleted = await ask(31, version, { filters: [{}] })
    assert.equal(deleted.filterResults[0].errorMessage, 'No Authorizer is configured.')
  }
})

test('transaction.version is raised and lowered in every version, and EndTxn and TxnOffsetCommit v5 are told of while it is 2', async () => {
  const told = async (version: number) => {
    const answer = await ask(18, version, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
    const newest = [26, 28].map(
      key => answer.apiKeys.find(({ apiKey }: { apiKey: number }) => apiKey === key).maxVersion,
    )
    return { ...answer, newest }
  }
  const name = 'transaction.version'
  for (const version of versions(57)) {
    const update = async (maxVersionLevel: number, isDowngrade = false, more: object = {}) => {
      const how = version === 0 ? { allowDowngrade: isDowngrade } : { upgradeType: isDowngrade ? 2 : 1 }
      const featureUpdates = [{ feature: name, maxVersionLevel, ...how }]
      const { errorCode, results } = await ask(57, version, { featureUpdates, ...more })
      assert.equal(errorCode, 0)
      return errorName(results[0].errorCode)
    }
    const before = await told(4)
    assert.deepEqual([before.newest, before.finalizedFeatures], [[4, 4], []])
    assert.deepEqual(before.supportedFeatures, [{ name, minVersion: 0, maxVersion: 2 }])
    assert.deepEqual((await told(3)).supportedFeatures, [{ name, minVersion: 1, maxVersion: 2 }])
    assert.equal(await update(3), 'INVALID_REQUEST')
    assert.equal(await update(0, true), 'INVALID_REQUEST')
    if (version > 0) assert.equal(await update(2, false, { validateOnly: true }), 'NONE')
    assert.deepEqual((await told(4)).finalizedFeatures, [])
    assert.equal(await update(2), 'NONE')
    const raised = await told(3)
    assert.deepEqual(raised.newest, [5, 5])
    assert.deepEqual(raised.finalizedFeatures, [{ name, maxVersionLevel: 2, minVersionLevel: 2 }])
    assert.equal(raised.finalizedFeaturesEpoch, before.finalizedFeaturesEpoch + 1)
    assert.equal(await update(2), 'INVALID_REQUEST')
    assert.equal(await update(1), 'INVALID_REQUEST')
    assert.equal(await update(1, true), 'NONE')
    assert.deepEqual((await told(4)).newest, [4, 4])
    assert.equal(await update(0, true), 'NONE')
  }
})
