/** Steps of `client-security.test.ts`: calls of Admin that are about users, what they may do, and how much. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Admin, ItemsFailed, Kafka, type KafkaError, type SaslOptions } from '../../src/client/index.ts'
import { PATIENCE_MS, sleep } from './process.ts'
import { PLAIN_USER, SCRAM_USER, type SecuredKafka } from './secured-kafka.ts'

/** Tries until it works: brokers hear of new users, ACLs and quotas a moment after they were made. */
export async function untilDone(attempt: () => Promise<void>): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(20)
    }
  }
}

const failsWith = (code: string) => (error: KafkaError) => error.code === code

export async function securityAdmin(context: TestContext, { at, plaintext }: SecuredKafka): Promise<void> {
  const as = (sasl: SaslOptions): Kafka => new Kafka({ bootstrapServers: at.SASL_PLAINTEXT, sasl })
  const alice = as({ mechanism: 'PLAIN', ...PLAIN_USER })
  await using root = new Kafka({ bootstrapServers: plaintext }).admin()
  await context.test('SCRAM users are made, described, changed and deleted', () => scramUsers(root, as))
  await context.test('ACLs are made, found, deleted, and count', () => acls(root, alice))
  await context.test('client quotas are set, described and removed', () => clientQuotas(root))
  await context.test('a delegation token is made, used, renewed, described and ended', () => tokens(alice, as))
}

async function scramUsers(root: Admin, as: (sasl: SaslOptions) => Kafka): Promise<void> {
  const user = 'bob'
  const mechanism = 'SCRAM-SHA-256'
  const login = async (password: string): Promise<void> => {
    await using admin = as({ mechanism, username: user, password }).admin()
    await admin.describeCluster()
  }
  await root.alterUserScramCredentials([
    { user, mechanism, password: 'first' },
    { user, mechanism: 'SCRAM-SHA-512', password: 'first', iterations: 5_000 },
    { user: 'carol', mechanism, password: 'c' },
  ])
  const [described] = await root.describeUserScramCredentials([user])
  assert.deepEqual(described, {
    user,
    credentials: [
      { mechanism, iterations: 4_096 },
      { mechanism: 'SCRAM-SHA-512', iterations: 5_000 },
    ],
  })
  await untilDone(() => login('first'))
  await root.alterUserScramCredentials([{ user, mechanism, password: 'second' }])
  await untilDone(() => login('second'))
  await assert.rejects(login('first'), failsWith('SASL_AUTHENTICATION_FAILED'))
  await root.alterUserScramCredentials([{ user, mechanism, operation: 'delete' }])
  await untilDone(() => assert.rejects(login('second'), failsWith('SASL_AUTHENTICATION_FAILED')))
  const users = (await root.describeUserScramCredentials()).map(one => one.user).sort()
  assert.ok(
    [SCRAM_USER.username, user, 'carol'].every(name => users.includes(name)),
    users.join(),
  )
  await assert.rejects(root.describeUserScramCredentials(['carol', 'nobody']), error => {
    assert.ok(error instanceof ItemsFailed)
    assert.deepEqual([error.code, [...error.failures.keys()]], ['RESOURCE_NOT_FOUND', ['nobody']])
    assert.deepEqual(error.results, [{ user: 'carol', credentials: [{ mechanism, iterations: 4_096 }] }])
    return true
  })
  const tooFew = { user: 'dave', mechanism, password: 'd', iterations: 10 } as const
  await assert.rejects(root.alterUserScramCredentials([tooFew]), failsWith('UNACCEPTABLE_CREDENTIAL'))
}

async function acls(root: Admin, alice: Kafka): Promise<void> {
  const guarded = { resourceType: 'topic', resourceName: 'guarded' } as const
  const principal = `User:${PLAIN_USER.username}`
  await root.createTopics([{ name: 'guarded', partitions: 1 }])
  await root.createAcls([
    { ...guarded, principal: 'User:somebody', operation: 'all' },
    { ...guarded, resourceName: 'gua', patternType: 'prefixed', principal, operation: 'write', host: '127.0.0.9' },
    {
      resourceType: 'cluster',
      resourceName: 'kafka-cluster',
      principal: 'User:eve',
      operation: 'alter-configs',
      permission: 'deny',
    },
  ])
  const write = async (): Promise<void> => {
    await using producer = alice.producer()
    await producer.send('guarded', { value: 'x' })
  }
  await untilDone(() => assert.rejects(write(), failsWith('TOPIC_AUTHORIZATION_FAILED')))
  const rest = { patternType: 'literal', host: '*', permission: 'allow' } as const
  const mine = { ...guarded, principal, operation: 'write', ...rest } as const
  await root.createAcls([mine])
  await untilDone(write)
  assert.deepEqual(await root.describeAcls({ principal, patternType: 'literal' }), [mine])
  const matching = await root.describeAcls({ ...guarded, patternType: 'match' })
  assert.deepEqual(matching.map(({ resourceName }) => resourceName).sort(), ['gua', 'guarded', 'guarded'])
  assert.equal((await root.describeAcls()).length, 4)
  assert.deepEqual(await root.deleteAcls([{ permission: 'deny' }, mine]), [
    {
      ...rest,
      resourceType: 'cluster',
      resourceName: 'kafka-cluster',
      principal: 'User:eve',
      operation: 'alter-configs',
      permission: 'deny',
    },
    mine,
  ])
  await untilDone(() => assert.rejects(write(), failsWith('TOPIC_AUTHORIZATION_FAILED')))
  const wrong = { ...guarded, resourceName: '', principal, operation: 'read' } as const
  await assert.rejects(root.createAcls([mine, wrong]), (error: unknown) => {
    assert.ok(error instanceof ItemsFailed)
    assert.deepEqual([error.code, error.failures.size, error.results.length], ['INVALID_REQUEST', 1, 1])
    return true
  })
  await root.deleteAcls([{}])
}

async function clientQuotas(root: Admin): Promise<void> {
  const alice = { user: 'alice' }
  const everybody = { user: null, 'client-id': 'batch' }
  await root.alterClientQuotas([
    { entity: alice, quotas: { producer_byte_rate: 1_000_000, consumer_byte_rate: 2_000_000 } },
    { entity: everybody, quotas: { request_percentage: 50 } },
    { entity: { ip: '10.0.0.1' }, quotas: { connection_creation_rate: 20 } },
  ])
  assert.equal((await root.describeClientQuotas()).length, 3)
  assert.deepEqual(await root.describeClientQuotas({ parts: [{ type: 'user', name: 'alice' }] }), [
    { entity: alice, quotas: { consumer_byte_rate: 2_000_000, producer_byte_rate: 1_000_000 } },
  ])
  const ofDefault = await root.describeClientQuotas({ parts: [{ type: 'user', name: null }, { type: 'client-id' }] })
  assert.deepEqual(ofDefault, [{ entity: everybody, quotas: { request_percentage: 50 } }])
  assert.equal((await root.describeClientQuotas({ parts: [{ type: 'user' }], strict: true })).length, 1)
  await root.alterClientQuotas([{ entity: alice, quotas: { consumer_byte_rate: 1 } }], { validateOnly: true })
  await root.alterClientQuotas([{ entity: alice, quotas: { producer_byte_rate: null } }])
  assert.deepEqual(await root.describeClientQuotas({ parts: [{ type: 'user', name: 'alice' }] }), [
    { entity: alice, quotas: { consumer_byte_rate: 2_000_000 } },
  ])
  const wrong = [
    { entity: { 'client-id': 'x' }, quotas: { consumer_byte_rate: 3 } },
    { entity: alice, quotas: { no_such_rate: 3 } },
  ]
  await assert.rejects(root.alterClientQuotas(wrong), failsWith('INVALID_REQUEST'))
}

async function tokens(alice: Kafka, as: (sasl: SaslOptions) => Kafka): Promise<void> {
  await using admin = alice.admin()
  const owner = `User:${PLAIN_USER.username}`
  const token = await admin.createDelegationToken({ renewers: ['User:bob'], maxLifetimeMs: 600_000 })
  assert.deepEqual([token.owner, token.requester, token.maxAtMs - token.issuedAtMs], [owner, owner, 600_000])
  const sasl = { mechanism: 'SCRAM-SHA-256', username: token.tokenId, password: token.hmac, isToken: true } as const
  await using holder = as(sasl).admin()
  await untilDone(async () => void (await holder.listTopics()))
  assert.deepEqual(await admin.describeDelegationTokens([owner]), [token])
  await assert.rejects(holder.createDelegationToken(), failsWith('DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'))
  const expiresAtMs = await admin.renewDelegationToken(token.hmac, 300_000)
  assert.ok(expiresAtMs < token.maxAtMs)
  await untilDone(async () => {
    assert.equal((await admin.describeDelegationTokens([owner]))[0]?.expiresAtMs, expiresAtMs)
  })
  assert.deepEqual(await admin.describeDelegationTokens(['User:eve']), [])
  await admin.expireDelegationToken(token.hmac)
  await untilDone(async () => assert.deepEqual(await admin.describeDelegationTokens(), []))
  await using late = as(sasl).admin()
  await assert.rejects(late.describeCluster(), failsWith('SASL_AUTHENTICATION_FAILED'))
  await assert.rejects(admin.renewDelegationToken(token.hmac), failsWith('DELEGATION_TOKEN_NOT_FOUND'))
}
