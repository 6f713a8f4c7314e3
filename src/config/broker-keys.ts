import { groupKeys } from './broker-keys/group-keys.ts'
import { kraftKeys } from './broker-keys/kraft-keys.ts'
import { logKeys } from './broker-keys/log-keys.ts'
import { metricsKeys } from './broker-keys/metrics-keys.ts'
import { networkKeys } from './broker-keys/network-keys.ts'
import { quotaKeys } from './broker-keys/quota-keys.ts'
import { remoteKeys } from './broker-keys/remote-keys.ts'
import { replicationKeys } from './broker-keys/replication-keys.ts'
import { saslKeys } from './broker-keys/sasl-keys.ts'
import { securityKeys } from './broker-keys/security-keys.ts'
import { serverKeys } from './broker-keys/server-keys.ts'
import { sslKeys } from './broker-keys/ssl-keys.ts'
import { transactionKeys } from './broker-keys/transaction-keys.ts'
import { zookeeperKeys } from './broker-keys/zookeeper-keys.ts'
import { type ConfigTable, defineConfig } from './config-def.ts'

/**
 * Every broker key of Kafka 3.9 in ZooKeeper and KRaft mode, and Monedula's own, which begin with `monedula.`.
 * Differences: `listeners` defaults to the loopback address.
 */
export const kafkaConfig = defineConfig({
  ...serverKeys,
  ...networkKeys,
  ...logKeys,
  ...replicationKeys,
  ...groupKeys,
  ...transactionKeys,
  ...quotaKeys,
  ...metricsKeys,
  ...securityKeys,
  ...sslKeys,
  ...saslKeys,
  ...zookeeperKeys,
  ...remoteKeys,
  ...kraftKeys,
})

/** The table behind {@link kafkaConfig}. */
export type BrokerKeys = (typeof kafkaConfig)['keys']

/** The keys by theme, in the order of the reference page. */
export const brokerKeyThemes: readonly { readonly title: string; readonly keys: ConfigTable }[] = [
  { title: 'Server', keys: serverKeys },
  { title: 'Network', keys: networkKeys },
  { title: 'Logs', keys: logKeys },
  { title: 'Replication', keys: replicationKeys },
  { title: 'Groups', keys: groupKeys },
  { title: 'Transactions', keys: transactionKeys },
  { title: 'Quotas', keys: quotaKeys },
  { title: 'Metrics', keys: metricsKeys },
  { title: 'Security', keys: securityKeys },
  { title: 'TLS', keys: sslKeys },
  { title: 'SASL', keys: saslKeys },
  { title: 'ZooKeeper', keys: zookeeperKeys },
  { title: 'Tiered storage', keys: remoteKeys },
  { title: 'KRaft', keys: kraftKeys },
]
