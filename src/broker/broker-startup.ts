import { type DynamicBrokerConfig, isEveryInterface } from '../config/broker.ts'
import { Controller, generateBrokerId } from '../controller/index.ts'
import { GroupCoordinator, groupConfig, TransactionCoordinator, transactionConfig } from '../coordinator/index.ts'
import { MetadataCache, OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC, TRANSACTION_VERSION } from '../metadata/index.ts'
import { SocketServer } from '../network/index.ts'
import {
  type Clock,
  type Disk,
  DiskError,
  inlineWorkers,
  type Logger,
  type Network,
  NetworkError,
  type Random,
  type Threads,
  type Workers,
} from '../platform/index.ts'
import { FetchSessionCache, FetchSessions, ReplicaManager } from '../replication/index.ts'
import { LogManager } from '../storage/index.ts'
import { DataDirectoryError, EmbeddedZooKeeper, ensurePath, type ZooKeeper } from '../zookeeper/index.ts'
import { AutoTopics } from './auto-topics.ts'
import { brokerGauges, type GaugedParts } from './broker-gauges.ts'
import { BrokerParts } from './broker-parts.ts'
import type { BrokerServices } from './broker-services.ts'
import { connectionRateOf } from './connection-quotas.ts'
import { CoordinatorPartitions } from './coordinator-partitions.ts'
import { type DescriptorShares, descriptorShares } from './descriptor-shares.ts'
import { handlers } from './handlers/index.ts'
import { ImplicitPartitions } from './implicit-partitions.ts'
import { claimLogDirectories, readableMetaProperties } from './log-directory-claim.ts'
import { cleanerSettings, logSettings } from './log-settings.ts'
import { metadataPublisher } from './metadata-publishing.ts'
import { ProducerIds } from './producer-ids.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import type { RequestInterceptor } from './request-interceptor.ts'
import { RequestTallies } from './request-tallies.ts'
import { TransactionMarkers } from './transaction-markers.ts'

/** Memory that requests in progress may hold together, where `queued.max.request.bytes` sets no limit. */
const DEFAULT_QUEUED_BYTES = 256 * 1024 * 1024

/** Memory that answers may hold together while their readers are slow; the records of a fetch are no file to us, as to Kafka. */
const UNSENT_BYTES = 256 * 1024 * 1024

/** A limit of open files that leaves fewer than these is worth a word. */
const FEW_CONNECTIONS = 1_000

export interface KafkaServerOptions {
  /** Keys of `server.properties` as written. */
  readonly properties: ReadonlyMap<string, string>
  readonly disk: Disk
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  /** For work that would hold the event loop too long; the caller closes them. When left out it holds the event loop. */
  readonly workers?: Workers
  readonly logger: Logger
  /** Files and sockets that the process may have open; no limit when left out. */
  readonly descriptorLimit?: number | undefined
  /** Log each request at debug level. */
  readonly isVerbose: boolean
  /** Threads for compaction; without any it runs on the event loop. */
  readonly cleanerThreads?: Threads
  /** Every log directory has failed: the broker can serve nothing more. */
  readonly onHalt: () => void
  /** Stands before every handler, for tests; none when left out. */
  readonly interceptor?: RequestInterceptor
}

/** A bound listener. */
export interface BoundListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** A broker that answers requests. */
export interface StartedBroker {
  readonly services: BrokerServices
  readonly listeners: readonly BoundListener[]
  readonly metricsPort: number | undefined
  readonly parts: BrokerParts
}

/** What of a broker is there once its cluster is known. */
interface Identity {
  readonly brokerId: number
  readonly clusterId: string
  readonly zooKeeper: ZooKeeper
  readonly metadata: MetadataCache
  readonly controller: Controller
}

/**
 * Brings a broker up, part by part: the sockets are bound first, so that a taken port is known before anything is
 * touched, and read last, when everything behind them is there.
 */
export class BrokerStartup {
  readonly parts = new BrokerParts()
  readonly #options: KafkaServerOptions
  readonly #config: DynamicBrokerConfig
  readonly #descriptors: DescriptorShares
  readonly #metadata = new MetadataCache()
  #dispatcher: RequestDispatcher | undefined

  constructor(options: KafkaServerOptions, config: DynamicBrokerConfig) {
    this.#options = options
    this.#config = config
    this.#descriptors = descriptorShares(options.descriptorLimit)
  }

  async run(): Promise<StartedBroker> {
    const sockets = this.#createSockets()
    const listeners = await this.#bind(sockets)
    const identity = await this.#joinCluster()
    const logs = await this.#openLogs(identity)
    const services = this.#createServices(identity, logs)
    const tallies = new RequestTallies()
    this.#dispatcher = new RequestDispatcher({
      handlers,
      services,
      logger: this.#options.logger.child({ logger: 'kafka.server.KafkaApis' }),
      observer: tallies,
      isVerbose: this.#options.isVerbose,
      interceptor: this.#options.interceptor,
    })
    await identity.controller.start({
      endpoints: this.#endpoints(listeners),
      rack: this.#config.get('broker.rack'),
      uncleanStart: !logs.wasClean,
    })
    const metricsPort = await this.#serveMetrics({ services, sockets, logs }, tallies)
    sockets.enable()
    this.#announce(listeners)
    return { services, listeners, metricsPort, parts: this.parts }
  }

  /** Says where clients find the broker, and where they are sent to from there. */
  #announce(bound: readonly BoundListener[]): void {
    const logger = this.#options.logger.child({ logger: 'kafka.network.DataPlaneAcceptor' })
    const { advertisedListeners } = this.#config.current
    for (const { name, host, port } of bound) {
      logger.info({}, `Awaiting socket connections on ${host}:${port}.`)
      const told = advertisedListeners.find(({ listener }) => listener === name)
      if (!told || told.host === host) continue
      const address = isEveryInterface(told.host) ? 'the address they came by' : `${told.host}:${told.port}`
      logger.info({}, `Clients of ${name} are told to connect to ${address}`)
    }
  }

  #createSockets(): SocketServer {
    const { network, clock, logger } = this.#options
    const config = this.#config
    const queued = config.get('queued.max.request.bytes')
    const { connections } = this.#descriptors
    if (connections < FEW_CONNECTIONS) {
      logger.warn({}, `No more than ${connections} connections at once: the limit of open files (ulimit -n) is low`)
    }
    const windowMs = Math.max(1, config.get('quota.window.num') - 1) * config.get('quota.window.size.seconds') * 1_000
    const sockets = new SocketServer({
      network,
      clock,
      logger: logger.child({ logger: 'kafka.network.SocketServer' }),
      // Nothing is read before `enable`, and by then the dispatcher is there.
      processor: {
        process: (frame, connection) => this.#dispatcher!.process(frame, connection),
        mayRecycle: frame => this.#dispatcher!.mayRecycle(frame),
        mayOverlap: frame => this.#dispatcher!.mayOverlap(frame),
        disconnected: connection => this.#dispatcher?.disconnected(connection),
      },
      addresses: config.current.listeners.map(({ listener, host, port }) => ({
        name: listener,
        host: isEveryInterface(host) ? '0.0.0.0' : host,
        port,
      })),
      maxFrameBytes: config.get('socket.request.max.bytes'),
      maxQueuedBytes: queued > 0 ? queued : DEFAULT_QUEUED_BYTES,
      maxUnsentBytes: UNSENT_BYTES,
      maxIdleMs: config.get('connections.max.idle.ms'),
      maxConnections: () => Math.min(config.get('max.connections'), connections),
      maxConnectionsOf: ip =>
        config.current.maxConnectionsPerIpOverrides.get(ip) ?? config.get('max.connections.per.ip'),
      maxConnectionsOfListener: listener =>
        config.current.ofListenerOnly(listener, 'max.connections') ?? Number.POSITIVE_INFINITY,
      creationRateOf: listener => ({
        perSecond: listener
          ? config.current.getForListener(listener, 'max.connection.creation.rate')
          : config.get('max.connection.creation.rate'),
        windowMs,
      }),
      creationRateOfIp: ip => ({ perSecond: connectionRateOf(this.#metadata.image(), ip), windowMs }),
      interBrokerListener: config.current.interBrokerListener,
    })
    this.parts.sockets = sockets
    return sockets
  }

  async #bind(sockets: SocketServer): Promise<readonly BoundListener[]> {
    try {
      return await sockets.bind()
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      throw new Error(`${error.message}; ${wayOutOf(error.code)}`, { cause: error })
    }
  }

  /** Opens the metadata store and learns who this broker is and what the cluster holds. */
  async #joinCluster(): Promise<Identity> {
    const { disk, clock, random, logger } = this.#options
    const directory = `${this.#config.current.logDirs[0]}-zookeeper`
    const opening = EmbeddedZooKeeper.open({
      disk,
      directory,
      clock,
      logger,
      onFailure: () => this.#options.onHalt(),
    })
    const embedded = await opening.catch(error => {
      throw unusableStore(error, directory)
    })
    this.parts.zooKeeper = embedded
    const zooKeeper = embedded.connect({ sessionTimeoutMs: this.#config.get('zookeeper.session.timeout.ms') })
    const metadata = this.#metadata
    const brokerId = await this.#brokerId(zooKeeper)
    const config = this.#config
    const controller = await Controller.open({ zooKeeper, metadata, config, brokerId, clock, random, logger })
    this.parts.controller = controller
    const { clusterId } = controller
    logger.child({ logger: 'kafka.server.KafkaServer' }).info({}, `Cluster ID = ${clusterId}`)
    return { brokerId, clusterId, zooKeeper, metadata, controller }
  }

  /** `broker.id`; else what the log directories remember; else a new one. */
  async #brokerId(zooKeeper: ZooKeeper): Promise<number> {
    const { disk } = this.#options
    const configured = this.#config.get('broker.id')
    if (configured >= 0) return configured
    for (const directory of this.#config.current.logDirs) {
      const remembered = readableMetaProperties(disk, directory)?.brokerId
      if (remembered !== undefined) return remembered
    }
    await ensurePath(zooKeeper, '/brokers/seqid')
    return generateBrokerId(zooKeeper, this.#config.get('reserved.broker.max.id'))
  }

  async #openLogs({ brokerId, clusterId, metadata }: Identity): Promise<LogManager> {
    const { disk, clock, random, logger } = this.#options
    const config = this.#config
    const { logDirs } = config.current
    await claimLogDirectories(logDirs, { disk, clock, brokerId, clusterId })
    const logs = await LogManager.open({
      disk,
      clock,
      random,
      logger,
      directories: logDirs,
      maxOpenFiles: this.#descriptors.segmentFiles,
      configOf: topic => logSettings(config.current, metadata.topicSettings(topic)),
      topicIdOf: topic => metadata.image().topic(topic)?.topicId,
      producerIdExpirationMs: () => config.get('producer.id.expiration.ms'),
      intervals: {
        retentionCheckMs: config.get('log.retention.check.interval.ms'),
        flushCheckMs: config.get('log.flush.scheduler.interval.ms'),
        recoveryPointCheckpointMs: config.get('log.flush.offset.checkpoint.interval.ms'),
        logStartCheckpointMs: config.get('log.flush.start.offset.checkpoint.interval.ms'),
        highWatermarkCheckpointMs: config.get('replica.high.watermark.checkpoint.interval.ms'),
        producerExpirationCheckMs: config.get('producer.id.expiration.check.interval.ms'),
      },
      cleaner: config.get('log.cleaner.enable') ? () => cleanerSettings(config.current) : undefined,
      cleanerThreads: this.#options.cleanerThreads,
    })
    this.parts.logs = logs
    return logs
  }

  #createServices({ brokerId, clusterId, metadata, controller }: Identity, logs: LogManager): BrokerServices {
    const { clock, random, workers = inlineWorkers, logger, onHalt } = this.#options
    const config = this.#config
    const replicas = new ReplicaManager({
      brokerId,
      clock,
      logger,
      logManager: logs,
      workers,
      fetchMaxBytes: () => config.get('fetch.max.bytes'),
    })
    this.parts.replicas = replicas
    const producerIds = new ProducerIds(() => controller.allocateProducerIds())
    const groups = this.#createGroups(metadata, replicas)
    const appendTimeoutMs = config.get('request.timeout.ms')
    const markers = new TransactionMarkers({ clock, replicas, groups, appendTimeoutMs })
    const transactions = this.#createTransactions({ metadata, replicas, groups, markers, producerIds })
    // Before the first image: what follows from it may be the first to meet a broken disk.
    logs.onDirectoryFailure(() => {
      if (logs.directories().every(({ isOffline }) => isOffline)) {
        const log = logger.child({ logger: 'kafka.log.LogManager' })
        log.error({}, `Halting: all log directories have failed (${config.current.logDirs.join(', ')})`)
        onHalt()
      }
    })
    metadata.onPrepare(change => replicas.prepare(change))
    metadata.subscribe(
      metadataPublisher({
        brokerId,
        config,
        logs,
        replicas,
        groups,
        transactions,
        logger: logger.child({ logger: 'kafka.server.metadata.BrokerMetadataPublisher' }),
      }),
    )
    const everywhere = this.#everywhere()
    return {
      brokerId,
      clusterId,
      clock,
      random,
      logger,
      config,
      metadata,
      controller,
      replicas,
      fetchSessions: new FetchSessions(
        new FetchSessionCache({ clock, random, maxSessions: config.get('max.incremental.fetch.session.cache.slots') }),
      ),
      producerIds,
      autoTopics: new AutoTopics({
        config,
        metadata,
        logger: logger.child({ logger: 'kafka.server.DefaultAutoTopicCreationManager' }),
        createTopics: topics => controller.createTopics(topics),
      }),
      groups,
      transactions,
      implicitPartitions: new ImplicitPartitions(replicas, transactions),
      markers,
      handlers,
      answersOnEveryInterface: listener => everywhere.has(listener),
      disconnected: connection => replicas.disconnected(connection),
    }
  }

  #createGroups(metadata: MetadataCache, replicas: ReplicaManager): GroupCoordinator {
    const { clock, random, logger } = this.#options
    const config = this.#config
    const storage = new CoordinatorPartitions({
      topic: OFFSETS_TOPIC,
      replicas,
      appendTimeoutMs: config.get('offsets.commit.timeout.ms'),
      loadBufferBytes: config.get('offsets.load.buffer.size'),
    })
    const groups = new GroupCoordinator({
      clock,
      random,
      logger,
      config: groupConfig(config.current),
      partitions:
        metadata.image().topic(OFFSETS_TOPIC)?.partitions.length ?? config.get('offsets.topic.num.partitions'),
      writer: storage,
      loader: storage,
      partitionExists: (topic, partition) => metadata.image().partition(topic, partition) !== undefined,
    })
    this.parts.groups = groups
    return groups
  }

  #createTransactions(parts: {
    readonly metadata: MetadataCache
    readonly replicas: ReplicaManager
    readonly groups: GroupCoordinator
    readonly markers: TransactionMarkers
    readonly producerIds: ProducerIds
  }): TransactionCoordinator {
    const { metadata, replicas, groups, markers, producerIds } = parts
    const { clock, logger } = this.#options
    const config = this.#config
    const storage = new CoordinatorPartitions({
      topic: TRANSACTION_STATE_TOPIC,
      replicas,
      appendTimeoutMs: config.get('request.timeout.ms'),
      loadBufferBytes: config.get('transaction.state.log.load.buffer.size'),
    })
    const transactions = new TransactionCoordinator({
      clock,
      logger,
      config: transactionConfig(config.current),
      partitions:
        metadata.image().topic(TRANSACTION_STATE_TOPIC)?.partitions.length ??
        config.get('transaction.state.log.num.partitions'),
      writer: storage,
      loader: storage,
      markers,
      nextProducerId: () => producerIds.next(),
      partitionExists: (topic, partition) => metadata.image().partition(topic, partition) !== undefined,
      groupPartition: groupId => groups.partitionFor(groupId),
      transactionVersion: () => metadata.image().featureLevel(TRANSACTION_VERSION),
    })
    this.parts.transactions = transactions
    return transactions
  }

  /** Listeners on every interface that have no advertised address. */
  #everywhere(): ReadonlySet<string> {
    const { advertisedListeners } = this.#config.current
    return new Set(advertisedListeners.filter(({ host }) => isEveryInterface(host)).map(({ listener }) => listener))
  }

  /** What the cluster is told: advertised addresses, with real ports, and a host that means something elsewhere. */
  #endpoints(bound: readonly BoundListener[]) {
    return this.#config.current.advertisedListeners.map(({ listener, securityProtocol, host, port }) => {
      const own = bound.find(({ name }) => name === listener)
      return {
        listener,
        securityProtocol,
        host: isEveryInterface(host) ? this.#options.network.hostName() : host,
        port: port === 0 ? (own?.port ?? 0) : port,
      }
    })
  }

  async #serveMetrics(gauged: GaugedParts, tallies: RequestTallies): Promise<number | undefined> {
    const wanted = this.#config.get('monedula.metrics.port')
    if (wanted < 0) return undefined
    const { BrokerMetrics } = await import('./broker-metrics.ts')
    const metrics = new BrokerMetrics(brokerGauges(gauged), tallies)
    this.parts.metrics = metrics
    const port = await metrics.serve('127.0.0.1', wanted).catch(error => {
      throw new Error(`${error.message}; choose another monedula.metrics.port, or -1 for none`, { cause: error })
    })
    this.#options.logger.info({ logger: 'kafka.server.KafkaServer' }, `Metrics at http://127.0.0.1:${port}/metrics`)
    return port
  }
}

/** Why the metadata cannot be kept in its directory, with the way out. */
function unusableStore(error: unknown, directory: string): unknown {
  if (error instanceof DiskError) {
    return new Error(
      `the metadata cannot be kept in ${directory}, beside the first of log.dirs: ${error.message}; choose a place in ` +
        'log.dirs where this user may write',
      { cause: error },
    )
  }
  if (!(error instanceof DataDirectoryError && error.message.endsWith('in use by another process'))) return error
  return new Error(`${error.message}: a broker runs with these log.dirs; stop it, or give this one others`, {
    cause: error,
  })
}

function wayOutOf(code: string): string {
  if (code === 'EADDRINUSE') return 'another program listens there: stop it, or choose another port with listeners='
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address: see listeners='
  if (code === 'EACCES') return 'ports below 1024 need rights: choose another with listeners='
  return 'see listeners='
}
