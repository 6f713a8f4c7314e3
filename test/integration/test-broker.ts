/** A whole broker in this process, on real sockets and a directory of its own. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WireClient } from '../../scripts/fuzz/wire-client.ts'
import { KafkaServer } from '../../src/broker/index.ts'
import {
  type Clock,
  nodeDisk,
  nodeNetwork,
  nodeThreads,
  nodeWorkers,
  systemClock,
  systemRandom,
  type Workers,
} from '../../src/platform/index.ts'
import { createLogger } from '../../src/platform/pino-logger.ts'
import { connectTo } from '../compat/connect-to.ts'

export class TestBroker {
  readonly server: KafkaServer
  /** What it logged, a line each. */
  readonly log: string[]
  readonly directory: string
  readonly #workers: Workers

  private constructor(parts: { server: KafkaServer; workers: Workers; log: string[]; directory: string }) {
    this.server = parts.server
    this.log = parts.log
    this.#workers = parts.workers
    this.directory = parts.directory
  }

  /** Starts one with these properties over those of a broker for development. */
  static async start(
    properties: Readonly<Record<string, string>> = {},
    clock: Clock = systemClock,
  ): Promise<TestBroker> {
    const directory = mkdtempSync(join(tmpdir(), 'monedula-broker-'))
    const log: string[] = []
    const defaults = {
      'broker.id': '0',
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'log.dirs': join(directory, 'logs'),
      'offsets.topic.num.partitions': '2',
      'offsets.topic.replication.factor': '1',
      'group.initial.rebalance.delay.ms': '0',
    }
    const workers = nodeWorkers()
    const server = await KafkaServer.start({
      properties: new Map(Object.entries({ ...defaults, ...properties })),
      disk: nodeDisk,
      network: nodeNetwork,
      cleanerThreads: nodeThreads,
      clock,
      random: systemRandom,
      workers,
      logger: createLogger({ level: 'debug', format: 'kafka', write: line => log.push(line) }),
      isVerbose: false,
      onHalt: () => log.push('HALT\n'),
    })
    return new TestBroker({ server, workers, log, directory })
  }

  get port(): number {
    return this.server.listeners[0]!.port
  }

  /** Creates topics of one partition, with these settings. */
  async createTopics(topics: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<void> {
    const created = await this.server.services.controller.createTopics(
      Object.entries(topics).map(([name, configs]) => ({
        name,
        numPartitions: 1,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      })),
    )
    for (const { errorCode, errorMessage } of created) assert.equal(errorCode, 0, errorMessage ?? '')
  }

  connect(): Promise<WireClient> {
    return connectTo(this.port)
  }

  /** Lines of the log that say this. */
  logged(what: RegExp): string[] {
    return this.log.filter(line => what.test(line))
  }

  async stop(): Promise<void> {
    await this.server.stop()
    await this.#workers.close()
    rmSync(this.directory, { recursive: true })
  }
}
