import { handled, type RequestInterceptor } from '../../../src/broker/index.ts'
import { OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../../src/metadata/index.ts'
import { ErrorCode, KafkaError } from '../../../src/protocol/everything.ts'
import type { World } from '../one-broker/world.ts'
import { type Answers, COORDINATED, LED } from './front-requests.ts'
import { FRONTS, listenerOf, portOf } from './settings.ts'

/** Which kind of coordinator, by the topic in which it keeps its state. */
export type CoordinatorTopic = typeof OFFSETS_TOPIC | typeof TRANSACTION_STATE_TOPIC

const CONTROLLER_APIS: ReadonlySet<string> = new Set(['CreateTopics', 'CreatePartitions', 'DeleteTopics'])

/**
 * A cluster of three brokers, to its clients: one real broker behind three listeners. Each partition has one of the three as its leader,
 * and only by that one's listener is it written, read and coordinated. A leader change takes the leadership from the real broker, which
 * tells whoever waits and forgets what a coordinator knows, and gives it back under the next leader epoch.
 */
export class ClusterModel {
  readonly #world: World
  readonly #leaders = new Map<string, number>()
  readonly #down = new Set<number>()
  /** By partition: who led it before its last move, and in which epoch. */
  readonly #before = new Map<string, { readonly leaderId: number; readonly leaderEpoch: number }>()
  /** Who has not heard of the last move of each partition. */
  laggard: number | undefined
  #controller: number = FRONTS[0]

  constructor(world: World) {
    this.#world = world
  }

  isDown(front: number): boolean {
    return this.#down.has(front)
  }

  /** Who leads a partition. */
  leaderOf(topic: string, partition: number): number {
    return this.#leaders.get(`${topic}-${partition}`) ?? FRONTS[partition % FRONTS.length]!
  }

  /** Gives a partition to another leader; for `leaderlessMs` nobody leads it. */
  async move(topic: string, partition: number, leaderlessMs: number): Promise<void> {
    const world = this.#world
    const server = world.broker.server
    const state = server?.services.metadata.image().partition(topic, partition)
    if (server === undefined || state === undefined || state.leader < 0) return
    const alive = FRONTS.filter(front => !this.#down.has(front) && front !== this.leaderOf(topic, partition))
    const next = world.oneOf(alive)
    world.line(`${topic}-${partition} goes from ${this.leaderOf(topic, partition)} to ${next}`)
    world.count(topic.startsWith('__') ? 'coordinator moved' : 'leader moved')
    server.services.metadata.publish(builder =>
      builder.putPartitions(topic, new Map([[partition, { ...state, leader: -1 }]])),
    )
    this.#before.set(`${topic}-${partition}`, {
      leaderId: this.leaderOf(topic, partition),
      leaderEpoch: state.leaderEpoch,
    })
    this.#leaders.set(`${topic}-${partition}`, next)
    if (leaderlessMs > 0) await world.sleep(leaderlessMs)
    if (world.broker.server !== server) return
    const topicPartitions = [{ topic, partitions: [partition] }]
    const results = await server.services.controller.electLeaders({ electionType: 1, topicPartitions })
    // Whoever adds partitions meanwhile gives the topic the leaders that the controller knows.
    const good: readonly number[] = [ErrorCode.NONE, ErrorCode.ELECTION_NOT_NEEDED]
    const errors = results
      .flatMap(({ partitionResult }) => partitionResult)
      .filter(({ errorCode }) => !good.includes(errorCode))
    if (errors.length > 0 && world.broker.server === server) world.fail(`no leader: ${JSON.stringify(errors)}`)
  }

  /** A front goes down; the others take over what it led. */
  async takeDown(front: number): Promise<void> {
    const world = this.#world
    world.line(`front ${front} goes down`)
    this.#down.add(front)
    if (this.#controller === front) this.#controller = world.oneOf(FRONTS.filter(other => !this.#down.has(other)))
    await Promise.all(this.#partitionsOf(front).map(([topic, partition]) => this.move(topic, partition, 0)))
  }

  bringUp(front: number): void {
    this.#world.line(`front ${front} comes up`)
    this.#down.delete(front)
  }

  /** Stands before the real broker. What does not come by a front's listener is let through. */
  readonly intercept: RequestInterceptor = (handler, request, context) => {
    const front = FRONTS.find(one => listenerOf(one) === context.connection.listenerName)
    if (front === undefined) return handled(handler, request, context)
    const { groups, transactions } = context.services
    const coordinated = COORDINATED.get(handler.name)?.(request)
    if (coordinated !== undefined) {
      const { type, key } = coordinated
      const topic = type === 'group' ? OFFSETS_TOPIC : TRANSACTION_STATE_TOPIC
      const partition = (type === 'group' ? groups : transactions).partitionFor(key)
      if (this.leaderOf(topic, partition) !== front) throw new KafkaError('NOT_COORDINATOR')
    }
    if (CONTROLLER_APIS.has(handler.name) && front !== this.#controller) throw new KafkaError('NOT_CONTROLLER')
    if (handler.name === 'Metadata') return this.#metadata(handled(handler, request, context), front)
    if (handler.name === 'FindCoordinator')
      return this.#coordinator(handled(handler, request, context), request, context)
    const led = LED.get(handler.name)
    if (led === undefined) return handled(handler, request, context)
    const isLed = (topic: string, partition: number): boolean => this.leaderOf(topic, partition) === front
    const { passed, merge } = led(request, isLed)
    // What has no partition for this front is not for the broker.
    const answer = passed === undefined ? undefined : handled(handler, passed as never, context)
    return answer instanceof Promise ? answer.then(merge) : merge(answer)
  }

  #metadata(answering: ReturnType<RequestInterceptor>, front: number) {
    return this.#with(answering, (answer: Answers['metadata']) => ({
      ...answer,
      brokers: this.#alive().map(front => ({ nodeId: front, host: '127.0.0.1', port: portOf(front), rack: null })),
      controllerId: this.#controller,
      topics: answer.topics.map(topic => ({
        ...topic,
        partitions: topic.partitions?.map(partition => ({
          ...partition,
          leaderId: partition.leaderId < 0 ? -1 : this.leaderOf(topic.name ?? '', partition.partitionIndex),
          ...(front === this.laggard ? this.#former(`${topic.name}-${partition.partitionIndex}`) : undefined),
          replicaNodes: [...FRONTS],
          isrNodes: this.#alive(),
          offlineReplicas: [...this.#down],
        })),
      })),
    }))
  }

  /** The leader before the last move, as somebody tells who has not heard of it; nobody where he is down. */
  #former(place: string): { readonly leaderId: number; readonly leaderEpoch: number } | undefined {
    const before = this.#before.get(place)
    return before && this.isDown(before.leaderId) ? { ...before, leaderId: -1 } : before
  }

  #coordinator(answering: ReturnType<RequestInterceptor>, request: never, context: Parameters<RequestInterceptor>[2]) {
    const { key: single, keyType } = request as { readonly key: string; readonly keyType: number }
    const { groups, transactions } = context.services
    const place = (key: string) => {
      const topic = keyType === 0 ? OFFSETS_TOPIC : TRANSACTION_STATE_TOPIC
      const front = this.leaderOf(topic, (keyType === 0 ? groups : transactions).partitionFor(key))
      return { nodeId: front, host: '127.0.0.1', port: portOf(front) }
    }
    const placed = <T extends { readonly errorCode: number }>(found: T, key: string): T =>
      found.errorCode === 0 ? { ...found, ...place(key) } : found
    return this.#with(answering, (answer: Answers['coordinator']) =>
      'coordinators' in answer
        ? { ...answer, coordinators: answer.coordinators.map(one => placed(one, one.key)) }
        : placed(answer, single),
    )
  }

  #with<T>(answering: ReturnType<RequestInterceptor>, change: (answer: T) => object) {
    return answering instanceof Promise ? answering.then(answer => change(answer as T)) : change(answering as T)
  }

  #alive(): number[] {
    return FRONTS.filter(front => !this.#down.has(front))
  }

  /** Every partition of the cluster that a front leads. */
  #partitionsOf(front: number): (readonly [topic: string, partition: number])[] {
    return this.partitions().filter(([topic, partition]) => this.leaderOf(topic, partition) === front)
  }

  /** Every partition there is. */
  partitions(): (readonly [topic: string, partition: number])[] {
    const image = this.#world.broker.server?.services.metadata.image()
    return [...(image?.topics() ?? [])].flatMap(({ name, partitions }) =>
      partitions.map((_, index) => [name, index] as const),
    )
  }
}
