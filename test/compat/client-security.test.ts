/** Our clients against a real Apache Kafka 3.9.1 whose listeners ask for TLS and SASL. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  connect,
  Kafka,
  KafkaError,
  type KafkaOptions,
  propertiesFile,
  type SaslOptions,
} from '../../src/client/index.ts'
import { type Network, nodeNetwork, systemClock, systemRandom } from '../../src/platform/index.ts'
import { CertificateAuthority, pkcs12, pkcs12Authority } from './certificates.ts'
import { kafkaJars, repositoryRoot } from './jars.ts'
import { LONG_TEST_MS, type RunOptions, run, sleep } from './process.ts'
import {
  MECHANISMS,
  PLAIN_USER,
  SCRAM_USER,
  SESSION_MS,
  type SecuredKafka,
  startSecuredKafka,
} from './secured-kafka.ts'
import { securityAdmin, untilDone } from './security-admin.ts'
import { toolOrSkip } from './tools.ts'

/** A JSON Web Token without signature, which this Kafka believes. */
function unsecuredToken(subject: string, lifetimeMs = 60_000): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Date.now() / 1000
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + lifetimeMs / 1000 })}.`
}

function saslOf(mechanism: (typeof MECHANISMS)[number]): SaslOptions {
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: () => unsecuredToken('alice') }
  return mechanism === 'PLAIN' ? { mechanism, ...PLAIN_USER } : { mechanism, ...SCRAM_USER }
}

/** The machine's network, which counts how often it was asked to connect. */
function countingPlatform() {
  const counts = { connects: 0 }
  const network: Network = {
    ...nodeNetwork,
    connect: (...args) => {
      counts.connects += 1
      return nodeNetwork.connect(...args)
    },
  }
  return { counts, platform: { network, clock: systemClock, random: systemRandom } }
}

let topics = 0

/** A producer, a consumer in a group and an admin do what they are for. */
async function roundTrip(kafka: Kafka): Promise<void> {
  const topic = `round-trip-${++topics}`
  await using admin = kafka.admin()
  await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
  await using producer = kafka.producer()
  const large = 'x'.repeat(300_000)
  await producer.sendBatch(topic, [{ value: 'first' }, { value: large }])
  await using consumer = kafka.consumer({ groupId: topic, autoOffsetReset: 'earliest' })
  consumer.subscribe(topic)
  const values: string[] = []
  for await (const { value } of consumer) {
    values.push(Buffer.from(value ?? []).toString())
    if (values.length === 2) break
  }
  assert.deepEqual(values, ['first', large])
}

test('our clients against Apache Kafka 3.9.1 with TLS and SASL', { timeout: LONG_TEST_MS }, async context => {
  if ((await toolOrSkip(context, 'Apache Kafka 3.9.1', kafkaJars)) === undefined) return
  const kafka = await startSecuredKafka()
  try {
    await tls(context, kafka)
    await sasl(context, kafka)
    await refusals(context, kafka)
    await sessions(context, kafka)
    await securityAdmin(context, kafka)
    await fromFiles(context, kafka)
  } finally {
    await kafka.stop()
  }
})

async function tls(context: TestContext, { at, ca, client }: SecuredKafka): Promise<void> {
  await context.test('certificates in PEM, a file and a line of text, by the names that Java clients have', () =>
    roundTrip(
      new Kafka({
        'bootstrap.servers': at.SSL,
        'security.protocol': 'SSL',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.certificates': readFileSync(ca, 'utf8').replaceAll('\n', ' '),
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': client.both,
      }),
    ),
  )
  await context.test('PKCS12 stores with their passwords, an older TLS and a cipher by its name in Java', async () =>
    roundTrip(
      new Kafka({
        bootstrapServers: at.SSL,
        securityProtocol: 'SSL',
        sslTruststoreLocation: await pkcs12Authority(ca, 'changeit'),
        sslTruststorePassword: 'changeit',
        sslKeystoreLocation: await pkcs12(client, 'changeit'),
        sslKeystorePassword: 'changeit',
        sslEnabledProtocols: 'TLSv1.2',
        sslCipherSuites: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      }),
    ),
  )
  await context.test('certificates as an object, as for Node', () =>
    roundTrip(
      new Kafka({
        bootstrapServers: at.SSL,
        tls: { ca: readFileSync(ca), cert: readFileSync(client.cert), key: readFileSync(client.key) },
      }),
    ),
  )
}

/** Gets a token of an endpoint over TLS, for a broker that asks for one. */
async function tokensOverTls(bootstrapServers: string, directory: string): Promise<void> {
  const authority = await CertificateAuthority.create(directory, 'idp-ca')
  const { key, cert } = await authority.sign('idp', { host: 'localhost' })
  const identity = { key: readFileSync(key), cert: readFileSync(cert) }
  const answer = JSON.stringify({ access_token: unsecuredToken('service') })
  const endpoint = createHttpsServer(identity, (_, response) => response.end(answer)).listen(0, '127.0.0.1')
  await new Promise(resolve => endpoint.once('listening', resolve))
  const { port } = endpoint.address() as AddressInfo
  const tokenEndpointUrl = `https://localhost:${port}/token`
  const module = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'
  const jaas = (trust: string) => ({
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.oauthbearer.token.endpoint.url': tokenEndpointUrl,
    'sasl.jaas.config': `${module} clientId="me" clientSecret="mine" ${trust};`,
  })
  const byObject = { mechanism: 'OAUTHBEARER', tokenEndpointUrl, clientId: 'me', clientSecret: 'mine' } as const
  const describe = async (options: Omit<KafkaOptions, 'bootstrapServers'>): Promise<void> => {
    await using admin = new Kafka({ ...options, bootstrapServers }).admin()
    await admin.describeCluster()
  }
  try {
    await describe(jaas(`ssl.truststore.location="${authority.cert}"`))
    await describe({ sasl: { ...byObject, tls: { ca: readFileSync(authority.cert) } } })
    const stranger = { code: 'SASL_AUTHENTICATION_FAILED', message: /TLS with the token endpoint https:.* fails/ }
    await assert.rejects(describe(jaas('')), stranger)
  } finally {
    endpoint.close()
  }
}

async function sasl(context: TestContext, { at, ca, directory }: SecuredKafka): Promise<void> {
  for (const mechanism of MECHANISMS) {
    await context.test(`${mechanism} over TLS`, () =>
      roundTrip(new Kafka({ bootstrapServers: at.SASL_SSL, tls: { ca: readFileSync(ca) }, sasl: saslOf(mechanism) })),
    )
    await context.test(`${mechanism} without encryption`, () =>
      roundTrip(new Kafka({ bootstrapServers: at.SASL_PLAINTEXT, sasl: saslOf(mechanism) })),
    )
  }
  await context.test(
    'an endpoint of tokens is trusted for the authority that sasl.jaas.config names, or sasl.tls',
    () => tokensOverTls(at.SASL_PLAINTEXT, directory),
  )
  await context.test('a token from an endpoint, by client credentials', async () => {
    const asked: string[] = []
    const endpoint = createServer((request, response) => {
      request.on('data', (body: Buffer) => {
        asked.push(`${request.headers.authorization} ${body}`)
        response.end(JSON.stringify({ access_token: unsecuredToken('service') }))
      })
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => endpoint.once('listening', resolve))
    const { port } = endpoint.address() as AddressInfo
    const kafka = new Kafka({
      bootstrapServers: at.SASL_PLAINTEXT,
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.oauthbearer.token.endpoint.url': `http://127.0.0.1:${port}/token`,
      'sasl.jaas.config':
        'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="me" clientSecret="mine" scope="kafka";',
    })
    try {
      await using admin = kafka.admin()
      await admin.describeCluster()
      const basic = Buffer.from('me:mine').toString('base64')
      assert.deepEqual(asked, [`Basic ${basic} grant_type=client_credentials&scope=kafka`])
    } finally {
      endpoint.close()
    }
  })
}

/** What every client says of these options, and how often it tries to connect in doing so. */
async function refusal(options: KafkaOptions): Promise<{ error: KafkaError; connects: number }> {
  const { counts, platform } = countingPlatform()
  const kafka = new Kafka({ ...options, platform })
  await using admin = kafka.admin()
  await using producer = kafka.producer()
  await using consumer = kafka.consumer({ groupId: 'refused' })
  consumer.subscribe('refused')
  await using newer = kafka.consumer({ groupId: 'refused too', groupProtocol: 'consumer' })
  newer.subscribe('refused')
  const outcomes = await Promise.allSettled([
    admin.listTopics(),
    producer.send('refused', { value: '' }),
    consumer[Symbol.asyncIterator]().next(),
    newer[Symbol.asyncIterator]().next(),
  ])
  const errors = outcomes.map(outcome => (outcome.status === 'rejected' ? outcome.reason : outcome))
  for (const error of errors) assert.ok(error instanceof KafkaError, String(error))
  // A member says of which group it is.
  const messages = errors.map(({ message }) => message.replace(/^group refused too: /, ''))
  assert.equal(new Set(messages).size, 1, messages.join('\n'))
  return { error: errors[0], connects: counts.connects }
}

async function refusals(context: TestContext, kafka: SecuredKafka): Promise<void> {
  const { at, ca, client, plaintext, stranger } = kafka
  const trusting = { ca: readFileSync(ca) }
  const foreign = await stranger.sign('foreign')
  const identity = ({ cert, key }: { cert: string; key: string }) => ({
    cert: readFileSync(cert),
    key: readFileSync(key),
  })
  const wrong = (mechanism: 'PLAIN' | 'SCRAM-SHA-256') => ({ mechanism, username: 'alice', password: 'guess' })
  const cases: [name: string, options: KafkaOptions, code: string, message: RegExp][] = [
    [
      'a wrong password',
      { bootstrapServers: at.SASL_PLAINTEXT, sasl: wrong('PLAIN') },
      'SASL_AUTHENTICATION_FAILED',
      /localhost:\d+ refuses PLAIN: Authentication failed: Invalid username or password/,
    ],
    [
      'a wrong password for SCRAM',
      { bootstrapServers: at.SASL_SSL, tls: trusting, sasl: wrong('SCRAM-SHA-256') },
      'SASL_AUTHENTICATION_FAILED',
      /localhost:\d+ refuses SCRAM-SHA-256: .*invalid credentials/,
    ],
    [
      'a token that is over',
      {
        bootstrapServers: at.SASL_PLAINTEXT,
        sasl: { mechanism: 'OAUTHBEARER', token: () => unsecuredToken('alice', -60_000) },
      },
      'SASL_AUTHENTICATION_FAILED',
      /localhost:\d+ refuses OAUTHBEARER: .*invalid_token/,
    ],
    [
      'an authority that is not trusted',
      { bootstrapServers: at.SASL_SSL, tls: true, sasl: saslOf('PLAIN') },
      'SSL_AUTHENTICATION_FAILED',
      /TLS with localhost:\d+ failed: its certificate is of no authority that is trusted here/,
    ],
    [
      'a certificate for another host',
      { bootstrapServers: at.SSL.replace('localhost', '127.0.0.1'), tls: { ...trusting, ...identity(client) } },
      'SSL_AUTHENTICATION_FAILED',
      /TLS with 127.0.0.1:\d+ failed: its certificate is for DNS:localhost, not for 127.0.0.1/,
    ],
    [
      'a certificate that has expired',
      { bootstrapServers: at.EXPIRED, tls: trusting },
      'SSL_AUTHENTICATION_FAILED',
      /its certificate has expired/,
    ],
    [
      'no certificate where one is asked for',
      { bootstrapServers: at.SSL, tls: trusting },
      'SSL_AUTHENTICATION_FAILED',
      /the broker does not accept the certificate of this client, or got none/,
    ],
    [
      'a certificate of an authority that the broker does not know',
      { bootstrapServers: at.SSL, tls: { ...trusting, ...identity(foreign) } },
      'SSL_AUTHENTICATION_FAILED',
      /the broker does not accept the certificate of this client/,
    ],
  ]
  for (const [name, options, code, message] of cases) {
    await context.test(`${name} is the answer of every client, in one line, and is not tried again`, async () => {
      const { error, connects } = await refusal(options)
      assert.deepEqual([error.code, error.retriable, error.fatal], [code, false, true])
      assert.match(error.message, message)
      assert.ok(!error.message.includes('\n'))
      assert.ok(connects <= 5, `${connects} connections`)
    })
  }
  const otherListeners: [name: string, options: KafkaOptions, message: RegExp][] = [
    [
      'TLS',
      { bootstrapServers: at.SSL },
      /localhost:\d+ answers with an alert of TLS; does it want TLS\? \(security\.protocol\)$/,
    ],
    ['no TLS', { bootstrapServers: plaintext, tls: true }, /TLS handshake with 127.0.0.1:\d+/],
    ['SASL', { bootstrapServers: at.SASL_PLAINTEXT }, /ended before the answer; does this listener want SASL\?/],
  ]
  for (const [name, options, message] of otherListeners) {
    await context.test(`a listener that wants ${name} is named`, async () => {
      await using admin = new Kafka(options).admin({ defaultApiTimeoutMs: 5_000 })
      await assert.rejects(admin.listTopics(), message)
    })
  }
}

/** Settings that operators and environments hand over as text. */
async function fromFiles(context: TestContext, { at, ca, directory }: SecuredKafka): Promise<void> {
  const { username, password } = PLAIN_USER
  const file = join(directory, 'client.properties')
  const lines = [
    `bootstrap.servers=${at.SASL_SSL}`,
    'security.protocol=SASL_SSL',
    'sasl.mechanism=PLAIN',
    'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\',
    `  username="${username}" password="${password}";`,
    `ssl.truststore.location=${ca}`,
    'ssl.truststore.type=PEM',
    'linger.ms=3',
    'key.serializer=org.apache.kafka.common.serialization.StringSerializer',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  await context.test('one properties file does for every client', () => roundTrip(new Kafka(propertiesFile(file))))
  await context.test('a URL names addresses, TLS, user and settings', () =>
    roundTrip(connect(`kafka+ssl://${username}:${password}@${at.SASL_SSL}?ssl.truststore.location=${ca}`)),
  )
  await context.test('the command line takes a file, or the environment', async () => {
    const monedula = (args: string, options: RunOptions = {}) =>
      run(process.execPath, [join(repositoryRoot, 'bin/monedula.js'), ...args.split(' ')], options)
    await monedula(`produce typed --producer.config ${file}`, { input: 'one\n' })
    assert.equal((await monedula(`consume typed --consumer.config ${file}`)).stdout, 'one\n')
    const url = `kafka+ssl://${username}:${password}@${at.SASL_SSL}?ssl.truststore.location=${ca}`
    assert.match((await monedula('topic list', { env: { MONEDULA_URL: url } })).stdout, /^typed$/m)
    const refused = await monedula(`topic list --command-config ${file} -b ${at.SSL}`, { expectedCodes: [1] })
    assert.match(refused.stderr, /^monedula: TLS with localhost:\d+ failed: [^\n]+\n$/)
  })
}

async function sessions(context: TestContext, { at, plaintext }: SecuredKafka): Promise<void> {
  await context.test('a session is renewed on its connection before it ends, in the midst of requests', async () => {
    const { counts, platform: machine } = countingPlatform()
    // As early as it may be, so that a broker that is slow for a moment does not find the session over.
    const platform = { ...machine, random: { ...systemRandom, next: () => 0 } }
    const kafka = new Kafka({ bootstrapServers: at.SASL_PLAINTEXT, sasl: saslOf('SCRAM-SHA-512'), platform })
    await using producer = kafka.producer({ lingerMs: 0, batchSize: 100 })
    await producer.send('sessions', { value: 'first' })
    const { connects } = counts
    const offsets: number[] = []
    for (const end = Date.now() + 1.4 * SESSION_MS; Date.now() < end; await sleep(20)) {
      const values = Array.from({ length: 5 }, () => producer.send('sessions', { value: 'x'.repeat(90), partition: 0 }))
      for (const { offset } of await Promise.all(values)) offsets.push(offset)
    }
    assert.equal(counts.connects, connects)
    assert.deepEqual(
      offsets,
      offsets.map((_, index) => index + 1),
    )
  })
  await context.test('whose password is changed meanwhile hears it when the session is to be renewed', async () => {
    await using root = new Kafka({ bootstrapServers: plaintext }).admin()
    const user = { user: 'late', mechanism: 'SCRAM-SHA-512' } as const
    await root.alterUserScramCredentials([{ ...user, password: 'before' }])
    const sasl = { mechanism: user.mechanism, username: user.user, password: 'before' } as const
    await untilDone(async () => {
      await using admin = new Kafka({ bootstrapServers: at.SASL_PLAINTEXT, sasl }).admin()
      await admin.describeCluster()
    })
    await using producer = new Kafka({ bootstrapServers: plaintext }).producer()
    const { partition } = await producer.send('late', { value: 'first' })
    await using consumer = new Kafka({ bootstrapServers: at.SASL_PLAINTEXT, sasl }).consumer()
    consumer.assign([{ topic: 'late', partition, offset: 0 }])
    const records = consumer[Symbol.asyncIterator]()
    await records.next()
    await root.alterUserScramCredentials([{ ...user, password: 'after' }])
    await assert.rejects(records.next(), { code: 'SASL_AUTHENTICATION_FAILED' })
  })
}
