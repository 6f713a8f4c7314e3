/** The clients for Node that are compared, with the scripts that drive them. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientPeers, clientPeers } from '../../test/compat/client-peers.ts'
import { repositoryRoot } from '../../test/compat/jars.ts'

export type { ClientPeers }

/** Clients that are compared, ours first. */
export const CLIENTS = ['monedula', 'kafkats', 'platformatic', 'node-rdkafka', 'kafkajs'] as const
export type ClientName = (typeof CLIENTS)[number]

/** Installs the clients and lays our scripts beside them: a script finds a client from where it lies. */
export async function scriptedClientPeers(): Promise<ClientPeers> {
  const peers = await clientPeers()
  cpSync(join(repositoryRoot, 'benchmarks/client/scripts'), peers.directory, { recursive: true })
  return peers
}
