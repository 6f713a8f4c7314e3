/** Members of many groups, each the only one of its group, with as little work of their own as can be: raw requests. */
import * as p from '../../src/protocol/everything.ts'
import { sleep } from '../../test/compat/process.ts'
import { ProtocolClient } from '../../test/compat/protocol-client.ts'

const FIND = [p.FindCoordinatorRequest, p.FindCoordinatorResponse] as const
const JOIN = [p.JoinGroupRequest, p.JoinGroupResponse] as const
const SYNC = [p.SyncGroupRequest, p.SyncGroupResponse] as const
const HEARTBEAT = [p.HeartbeatRequest, p.HeartbeatResponse] as const
const COMMIT = [p.OffsetCommitRequest, p.OffsetCommitResponse] as const

const SESSION_TIMEOUT_MS = 60_000
/** How often each member sends a heartbeat and commits. */
const BEAT_MS = 1_000
const PATIENCE_MS = 60_000
/** While its coordinator is not there yet, a client asks again. */
const NOT_READY: readonly number[] = [
  p.ErrorCode.COORDINATOR_NOT_AVAILABLE,
  p.ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  p.ErrorCode.NOT_COORDINATOR,
]

/** The only member of a group. */
class LoneMember {
  readonly #client: ProtocolClient
  readonly #groupId: string
  readonly #topic: string
  #memberId = ''
  #generationId = -1

  private constructor(client: ProtocolClient, groupId: string, topic: string) {
    this.#client = client
    this.#groupId = groupId
    this.#topic = topic
  }

  /** Joins a group of this name and gets an empty assignment. */
  static async join(port: number, groupId: string, topic: string): Promise<LoneMember> {
    const member = new LoneMember(await ProtocolClient.open(port), groupId, topic)
    await member.#join()
    return member
  }

  async #join(): Promise<void> {
    await patiently(() => this.#client.ask(FIND, 1, { key: this.#groupId, keyType: 0 }))
    const joined = await patiently(() =>
      this.#client.ask(JOIN, 3, {
        groupId: this.#groupId,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        rebalanceTimeoutMs: SESSION_TIMEOUT_MS,
        memberId: '',
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: new Uint8Array(20) }],
      }),
    )
    this.#memberId = joined.memberId
    this.#generationId = joined.generationId
    const assignments = [{ memberId: this.#memberId, assignment: new Uint8Array(20) }]
    await patiently(() => this.#client.ask(SYNC, 1, { ...this.#identity, assignments }))
  }

  get #identity() {
    return { groupId: this.#groupId, generationId: this.#generationId, memberId: this.#memberId }
  }

  /** One heartbeat and one commit. */
  async beat(): Promise<void> {
    await patiently(() => this.#client.ask(HEARTBEAT, 1, this.#identity))
    const { groupId, generationId, memberId } = this.#identity
    const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }]
    const { topics } = await this.#client.ask(COMMIT, 2, {
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      topics: [{ name: this.#topic, partitions }],
    })
    const errorCode = topics[0]?.partitions[0]?.errorCode
    if (errorCode !== 0) throw new Error(`a commit failed with error ${errorCode}`)
  }

  close(): void {
    this.#client.close()
  }
}

/** Asks until the answer is no error, as long as the coordinator is only not ready yet. */
async function patiently<T extends { readonly errorCode: number }>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await ask()
    if (answer.errorCode === 0) return answer
    if (!NOT_READY.includes(answer.errorCode) || Date.now() > deadline) throw new Error(`error ${answer.errorCode}`)
    await sleep(50)
  }
}

/** Groups that are joined and kept alive. */
export interface Groups {
  /** Resolves when every group is stable. */
  readonly stable: Promise<unknown>
  /** Lets all members beat, spread over each second, for so long. */
  live(ms: number): Promise<void>
  close(): void
}

/** Starts so many groups of one member that consumes `topic`. */
export function startGroups(port: number, topic: string, count: number): Groups {
  const members: LoneMember[] = []
  const join = async (index: number): Promise<void> => {
    members.push(await LoneMember.join(port, `group-${index}`, topic))
  }
  const liveOne = async (member: LoneMember, startMs: number, endMs: number): Promise<void> => {
    for (let nextMs = startMs; nextMs < endMs; nextMs += BEAT_MS) {
      await sleep(Math.max(0, nextMs - Date.now()))
      await member.beat()
    }
  }
  return {
    stable: Promise.all(Array.from({ length: count }, (_, index) => join(index))),
    async live(ms) {
      const startMs = Date.now()
      const spread = (index: number): number => startMs + (index * BEAT_MS) / count
      await Promise.all(members.map((member, index) => liveOne(member, spread(index), startMs + ms)))
    },
    close() {
      for (const member of members) member.close()
    },
  }
}
