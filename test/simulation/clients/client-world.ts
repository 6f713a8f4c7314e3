import type { RequestInterceptor } from '../../../src/broker/index.ts'
import type { ClientParts } from '../../../src/client/client-options.ts'
import { World } from '../one-broker/world.ts'
import { ClusterModel } from './cluster-model.ts'
import { CommitWatch } from './commit-watch.ts'
import { type ClientNetwork, FaultyNetwork } from './faulty-network.ts'
import { FrontWatch } from './front-watch.ts'
import { GroupLedger } from './group-ledger.ts'
import { meddled } from './meddling.ts'
import { BOOTSTRAP, type ClientSettings, drawSettings, FRONTS, PARTITIONS, portOf } from './settings.ts'

/** Clients of this project in front of a cluster of three brokers, and all that befalls them, drawn from one seed. */
export class ClientWorld extends World<ClientSettings> {
  readonly cluster = new ClusterModel(this)
  readonly network = new FaultyNetwork(this, port => this.cluster.isDown(FRONTS.find(front => portOf(front) === port)!))
  readonly groups = new Map<string, GroupLedger>()
  readonly watch = new FrontWatch(this)
  readonly commits = new CommitWatch(this)
  readonly #partitionCounts = new Map<string, number>()
  /** One in so many requests has something done to it; none when 0. */
  meddling = 0
  /** Connections break under what clients write, and some of it comes when it has been written on another. */
  areWritesLate = false
  /** Readers have read what there is: they are to come to an end too. */
  isRead = false

  constructor(seed: number) {
    super(seed, drawSettings)
  }

  /** Settings that every client of a run has, and its network. */
  client(): {
    readonly network: ClientNetwork
    readonly options: ClientParts & { readonly requestTimeoutMs: number } & Record<string, unknown>
  } {
    const network = this.network.view()
    return {
      network,
      options: {
        bootstrapServers: BOOTSTRAP,
        platform: { network, clock: this.clock, random: this.random },
        requestTimeoutMs: this.oneOf([700, 1_500, 3_000]),
        retryBackoffMs: this.oneOf([10, 50]),
        retryBackoffMaxMs: 300,
        reconnectBackoffMs: this.oneOf([10, 50]),
        reconnectBackoffMaxMs: 300,
        // Nobody reads partitions that he has not heard of.
        metadataMaxAgeMs: this.settings.morePartitions > 0 ? 500 : this.oneOf([500, 60_000]),
      },
    }
  }

  /** How many partitions a topic is known to have. */
  partitionsOf(topic: string): number {
    return this.#partitionCounts.get(topic) ?? PARTITIONS
  }

  /** A topic has more partitions than before. */
  topicGrown(topic: string, partitions: number): void {
    this.#partitionCounts.set(topic, partitions)
  }

  ledger(group: string): GroupLedger {
    const known = this.groups.get(group) ?? new GroupLedger(this, group)
    this.groups.set(group, known)
    return known
  }

  protected override intercept(...request: Parameters<RequestInterceptor>): ReturnType<RequestInterceptor> {
    return meddled(this, this.cluster.intercept, request)
  }
}
