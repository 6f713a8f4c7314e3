/** A member of a classic group that says each step itself, so that a fault can come between any two of them. */
import * as p from '../../src/protocol/everything.ts'
import { PATIENCE_MS, sleep } from '../compat/process.ts'
import { ProtocolClient } from '../compat/protocol-client.ts'

const FIND = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const JOIN = [p.JoinGroupRequest, p.JoinGroupResponse] as const
const SYNC = [p.SyncGroupRequest, p.SyncGroupResponse] as const
const HEARTBEAT = [p.HeartbeatRequest, p.HeartbeatResponse] as const
const LEAVE = [p.LeaveGroupRequest, p.LeaveGroupResponse] as const
const COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const
const OFFSETS = [p.OffsetFetchRequest, p.OffsetFetchResponse] as const

const PASSING = /COORDINATOR/
const PAUSE_MS = 20

export interface GroupClientOptions {
  readonly groupId: string
  /** A static member's name. */
  readonly instanceId?: string
  /** What the member tells of itself; its size counts in the group's record. */
  readonly metadata?: Uint8Array
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
}

/** One member, or with {@link commit} and {@link committed} alone somebody outside the group. */
export class GroupClient {
  readonly #port: number
  readonly #options: GroupClientOptions
  #client: ProtocolClient | undefined
  memberId = ''
  generationId = -1
  /** Ids of all members, where this one is the leader. */
  members: readonly string[] = []
  assignment = ''

  constructor(port: number, options: GroupClientOptions) {
    this.#port = port
    this.#options = options
  }

  get leads(): boolean {
    return this.members.length > 0
  }

  /** JoinGroup, again with the id that the coordinator gives; gives the name of the error. */
  async join(): Promise<string> {
    const { instanceId = null, metadata = Buffer.from('x') } = this.#options
    const { sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 10_000 } = this.#options
    const shape = { ...this.#identity, groupInstanceId: instanceId, protocolType: 'consumer', sessionTimeoutMs }
    const body = { ...shape, rebalanceTimeoutMs, protocols: [{ name: 'range', metadata }] }
    const answer = await this.#asked(client => client.ask(JOIN, 5, body))
    const error = p.errorName(answer.errorCode)
    if (answer.memberId !== '') this.memberId = answer.memberId
    if (error === 'MEMBER_ID_REQUIRED') return this.join()
    if (error === 'NONE') {
      this.generationId = answer.generationId
      this.members = answer.leader === answer.memberId ? answer.members.map(({ memberId }) => memberId) : []
    }
    return error
  }

  /** SyncGroup; the leader gives each member what `assign` says. */
  async sync(assign: (memberId: string) => string = memberId => memberId): Promise<string> {
    const assignments = this.members.map(memberId => ({ memberId, assignment: Buffer.from(assign(memberId)) }))
    const answer = await this.#asked(client => client.ask(SYNC, 3, { ...this.#inGeneration, assignments }))
    this.assignment = Buffer.from(answer.assignment).toString()
    return p.errorName(answer.errorCode)
  }

  /** Joins and syncs until the group is stable with this member in it. */
  async enter(): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
      const joined = await this.join()
      const entered = joined === 'NONE' ? await this.sync() : joined
      if (entered === 'NONE') return
      if (entered === 'UNKNOWN_MEMBER_ID') this.memberId = ''
      else if (entered !== 'REBALANCE_IN_PROGRESS' && entered !== 'ILLEGAL_GENERATION') throw new Error(entered)
    }
    throw new Error(`${this.#options.groupId}: the group does not become stable`)
  }

  /** Sends heartbeats until one says that the group rebalances, then enters again. */
  async rejoin(): Promise<void> {
    for (const deadline = Date.now() + PATIENCE_MS; (await this.heartbeat()) === 'NONE'; await sleep(5)) {
      if (Date.now() > deadline) throw new Error(`${this.#options.groupId}: the group does not rebalance`)
    }
    await this.enter()
  }

  async heartbeat(): Promise<string> {
    return p.errorName((await this.#asked(client => client.ask(HEARTBEAT, 3, this.#inGeneration))).errorCode)
  }

  async leave(): Promise<string> {
    return p.errorName((await this.#asked(client => client.ask(LEAVE, 2, this.#identity))).errorCode)
  }

  /** Commits an offset of the first partitions of a topic, of one unless told otherwise; as a member once it has joined. */
  async commit(topic: string, committedOffset: number, count = 1): Promise<string> {
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, committedOffset }))
    const topics = [{ name: topic, partitions }]
    const { groupInstanceId, generationId, memberId, groupId } = this.#inGeneration
    const body = { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId, topics }
    let error = 'NONE'
    await this.#asked(async client => {
      const { errorCode } = (await client.ask(COMMIT, 7, body)).topics[0]!.partitions[0]!
      error = p.errorName(errorCode)
      return { errorCode }
    })
    return error
  }

  /** The offset that the group has committed for partition 0 of a topic; -1 when there is none. */
  async committed(topic: string): Promise<number> {
    const body = { groupId: this.#options.groupId, topics: [{ name: topic, partitionIndexes: [0] }] }
    const answer = await this.#asked(client => client.ask(OFFSETS, 5, body))
    return answer.topics[0]!.partitions[0]!.committedOffset
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }

  get #identity() {
    return { groupId: this.#options.groupId, memberId: this.memberId }
  }

  get #inGeneration() {
    const groupInstanceId = this.#options.instanceId ?? null
    return { ...this.#identity, groupInstanceId, generationId: this.generationId }
  }

  /** Asks until the coordinator is there. Rejects when the connection breaks before the answer. */
  async #asked<Answer extends { readonly errorCode: number }>(
    ask: (client: ProtocolClient) => Promise<Answer>,
  ): Promise<Answer> {
    for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
      const answer = await ask(await this.#connected())
      if (!PASSING.test(p.errorName(answer.errorCode)) || Date.now() > deadline) return answer
    }
  }

  async #connected(): Promise<ProtocolClient> {
    if (this.#client === undefined) {
      this.#client = await ProtocolClient.open(this.#port)
      // The first question for a group makes the topic that it lives in.
      await this.#client.ask(FIND, 1, { key: this.#options.groupId, keyType: 0 })
    }
    return this.#client
  }
}
