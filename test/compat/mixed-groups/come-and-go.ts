import assert from 'node:assert/strict'
import { connect } from '../../../src/client/index.ts'
import { numbers } from '../../client-suite/suite.ts'
import type { BrokerProcess } from '../broker-process.ts'
import { type ClientName, type GroupMember, type GroupSettings, startMember } from './member.ts'
import { ObservedGroup } from './observed-group.ts'

const PARTITIONS = 6
const ROUND = 120

/** How members are in their group; its name and topic are found here. */
export type HowToJoin = Omit<GroupSettings, 'bootstrap' | 'groupId' | 'topic'>

let groups = 0

/** A group, its topic and who is in it now. */
export class Gathering {
  readonly group = new ObservedGroup(PARTITIONS)
  readonly settings: GroupSettings
  #members: GroupMember[] = []
  #sent = 0

  constructor(broker: BrokerProcess, how: HowToJoin) {
    groups += 1
    this.settings = { ...how, bootstrap: broker.bootstrap, groupId: `mixed-${groups}`, topic: `mixed-${groups}` }
  }

  async open(): Promise<void> {
    await using admin = connect(this.settings.bootstrap).admin()
    await admin.createTopics([{ name: this.settings.topic, partitions: PARTITIONS }])
  }

  /** A member comes, gets its share, and all that is written then is read. */
  async join(client: ClientName, name: string): Promise<void> {
    this.#members.push(await startMember(client, name, this.settings, this.group.observe))
    await this.works()
  }

  /** Takes a member out of those that are to share the partitions. */
  take(name: string): GroupMember {
    const [member] = this.#members.splice(
      this.#members.findIndex(one => one.name === name),
      1,
    )
    assert.ok(member, name)
    return member
  }

  putBack(member: GroupMember): void {
    this.#members.push(member)
  }

  /** Waits until the members share the partitions and have read what is written then. */
  async works(): Promise<void> {
    await this.group.spreadOver(this.#members.map(({ name }) => name))
    await this.group.read(await this.write())
  }

  async write(): Promise<string[]> {
    const values = numbers(ROUND).map(number => `${this.#sent + Number(number)}`)
    this.#sent += ROUND
    await using producer = connect(this.settings.bootstrap).producer()
    await producer.sendBatch(
      this.settings.topic,
      values.map((value, index) => ({ value, partition: index % PARTITIONS })),
    )
    return values
  }

  assertNoneReadTwice(): void {
    assert.equal(this.group.values.length, this.#sent)
  }

  assertAllRead(): void {
    assert.equal(new Set(this.group.values).size, this.#sent)
  }

  async close(): Promise<void> {
    for (const member of this.#members) await member.leave()
  }
}

/** Three members come, one after the other; the first leaves and returns, and is killed; meanwhile records are written. */
export async function comeAndGo(broker: BrokerProcess, clients: readonly ClientName[], how: HowToJoin): Promise<void> {
  const gathering = new Gathering(broker, how)
  await gathering.open()
  try {
    for (const [index, client] of clients.entries()) await gathering.join(client, `${client}-${index}`)
    const [first] = clients
    assert.ok(first)
    await gathering.take(`${first}-0`).leave()
    await gathering.works()
    await gathering.join(first, `${first}-again`)
    gathering.group.assertOneOwnerAtATime()
    // Nobody was killed: what a member let go of it had committed.
    gathering.assertNoneReadTwice()

    await gathering.take(`${first}-again`).kill()
    const values = await gathering.write()
    await gathering.works()
    await gathering.group.read(values)
    gathering.group.assertOneOwnerAtATime()
    gathering.assertAllRead()
  } finally {
    await gathering.close()
  }
}
