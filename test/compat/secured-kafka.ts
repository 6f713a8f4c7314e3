/** A real Apache Kafka 3.9.1 with listeners for TLS and SASL, an authorizer, users, and certificates to go with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerProcess } from './broker-process.ts'
import { type Certificate, CertificateAuthority } from './certificates.ts'
import { java } from './java.ts'
import { ToolClass } from './java-tool-runner.ts'
import { freePort } from './metadata-probe.ts'
import { ZooKeeperProcess } from './zookeeper-process.ts'

/** After so long a session by SCRAM-SHA-512 without encryption is over. */
export const SESSION_MS = 12_000
export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
/** A user for PLAIN, and one for SCRAM whom Kafka's own tool makes, with a name that SCRAM has to write otherwise. */
export const PLAIN_USER = { username: 'alice', password: 'alice-secret' } as const
export const SCRAM_USER = { username: 'al=ice', password: 'al ice-gehéim=1' } as const

const SECURITY = 'org.apache.kafka.common.security'
const LISTENERS = ['SSL', 'SASL_SSL', 'SASL_PLAINTEXT', 'EXPIRED'] as const

export type SecuredListener = (typeof LISTENERS)[number]

export interface SecuredKafka {
  /** Without encryption, where everybody may do everything. */
  readonly plaintext: string
  /** `localhost:port` of each listener; the certificate is for this name. */
  readonly at: Readonly<Record<SecuredListener, string>>
  readonly ca: string
  /** One that the broker does not know. */
  readonly stranger: CertificateAuthority
  readonly client: Certificate
  readonly directory: string
  stop(): Promise<void>
}

export async function startSecuredKafka(): Promise<SecuredKafka> {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-secured-'))
  const [zooKeeper, authority, stranger] = await Promise.all([
    ZooKeeperProcess.start(directory),
    CertificateAuthority.create(directory, 'authority'),
    CertificateAuthority.create(directory, 'stranger'),
  ])
  const certificates = {
    broker: await authority.sign('broker', { host: 'localhost' }),
    expired: await authority.sign('expired', { host: 'localhost', days: -1 }),
    client: await authority.sign('client'),
  }
  await createScramUser(zooKeeper.port)
  const addresses: [SecuredListener, string][] = []
  for (const name of LISTENERS) addresses.push([name, `localhost:${await freePort()}`])
  const broker = await BrokerProcess.start({
    target: 'kafka',
    directory: join(directory, 'broker'),
    zooKeeperPort: zooKeeper.port,
    listeners: addresses.map(([name, address]) => `${name}://${address}`),
    properties: { ...tlsProperties(authority, certificates), ...saslProperties(), ...otherProperties },
  })
  return {
    plaintext: broker.bootstrap,
    at: Object.fromEntries(addresses) as Record<SecuredListener, string>,
    ca: authority.cert,
    stranger,
    client: certificates.client,
    directory,
    stop: async () => {
      await broker.dispose()
      await zooKeeper.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** As an operator does before the first start. */
async function createScramUser(zooKeeperPort: number): Promise<void> {
  const { username, password } = SCRAM_USER
  const configs = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map(name => `${name}=[iterations=8192,password=${password}]`)
  const who = ['--zookeeper', `127.0.0.1:${zooKeeperPort}`, '--entity-type', 'users', '--entity-name', username]
  await java(ToolClass.configs, [...who, '--alter', '--add-config', configs.join(',')])
}

function tlsProperties(
  authority: CertificateAuthority,
  { broker, expired }: { readonly broker: Certificate; readonly expired: Certificate },
): Record<string, string> {
  return {
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,EXPIRED:SSL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': broker.both,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.cert,
    'listener.name.ssl.ssl.client.auth': 'required',
    'listener.name.expired.ssl.keystore.location': expired.both,
  }
}

function saslProperties(): Record<string, string> {
  const users = `user_${PLAIN_USER.username}="${PLAIN_USER.password}"`
  const modules = {
    plain: `${SECURITY}.plain.PlainLoginModule required ${users};`,
    'scram-sha-256': `${SECURITY}.scram.ScramLoginModule required;`,
    'scram-sha-512': `${SECURITY}.scram.ScramLoginModule required;`,
    // Without a handler of its own Kafka believes every token: it is not signed.
    oauthbearer: `${SECURITY}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
  }
  const perListener = ['sasl_ssl', 'sasl_plaintext'].flatMap(listener =>
    Object.entries(modules).map(([name, module]) => [`listener.name.${listener}.${name}.sasl.jaas.config`, module]),
  )
  return {
    'sasl.enabled.mechanisms': MECHANISMS.join(','),
    'listener.name.sasl_plaintext.scram-sha-512.connections.max.reauth.ms': String(SESSION_MS),
    'delegation.token.secret.key': 'known to all brokers',
    ...Object.fromEntries(perListener),
  }
}

const otherProperties = {
  // It is never killed here, so that it need not be short; on a busy machine it must not be.
  'zookeeper.session.timeout.ms': '60000',
  'offsets.topic.num.partitions': '3',
  'num.network.threads': '1',
  'authorizer.class.name': 'kafka.security.authorizer.AclAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'allow.everyone.if.no.acl.found': 'true',
}
