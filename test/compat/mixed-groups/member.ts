/** Members of one group, each of another client, that say what they own and read, by one clock. */
import { type ConsumerOptions, connect, string } from '../../../src/client/index.ts'
import { jarVersion, repositoryRoot } from '../jars.ts'
import { javaClasses, startJava } from '../java.ts'
import { RunningProgram, tail } from '../process.ts'
import { pythonWith } from '../tools.ts'
import type { Happening } from './observed-group.ts'

const JARS = 'clients43'
const LEAVE_TIMEOUT_MS = 20_000
/** Members of other languages end their lines with this. */
const LINE_END = '\n'

export type ClientName = 'ours' | 'java' | 'librdkafka'

/** What members of other languages need to run. */
export interface Runtimes {
  /** Python with confluent-kafka. */
  readonly python: string
  /** Where the compiled `GroupMember` lies. */
  readonly classes: string
  readonly versions: string
}

/** Installs them: kafka-clients 4.3.0 and confluent-kafka. */
export async function memberRuntimes(): Promise<Runtimes> {
  const classes = await javaClasses('GroupMember.java', JARS)
  const { python, versions } = await pythonWith('confluent-kafka', ['confluent-kafka==2.16.1'])
  return { python, classes, versions: `kafka-clients ${jarVersion(JARS, 'kafka-clients')}, ${versions}` }
}

/** Which group, and how members are in it: settings by the names that all clients share. */
export interface GroupSettings {
  readonly bootstrap: string
  readonly groupId: string
  readonly topic: string
  /** Assignors in the client's own names; none for the consumer protocol. */
  readonly assignor?: Readonly<Record<ClientName, string>>
  readonly more?: Readonly<Record<string, string>>
  /** Settings of one client. */
  readonly own?: Partial<Record<ClientName, Readonly<Record<string, string>>>>
  readonly runtimes: Runtimes
}

export interface GroupMember {
  readonly name: string
  /** Says farewell to the group and ends. */
  leave(): Promise<void>
  /** Ends at once: the group has to notice. Not for a member in this process. */
  kill(): Promise<void>
}

type Observer = (happening: Happening) => void

export async function startMember(
  client: ClientName,
  name: string,
  group: GroupSettings,
  observe: Observer,
): Promise<GroupMember> {
  const settings = {
    ...group.more,
    ...(group.assignor === undefined ? {} : { 'partition.assignment.strategy': group.assignor[client] }),
    ...group.own?.[client],
  }
  if (client === 'ours') return ourMember(name, group, settings, observe)
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  const args = [group.bootstrap, group.groupId, group.topic, ...pairs]
  const program =
    client === 'java'
      ? await startJava('GroupMember', args, { jars: JARS, classes: group.runtimes.classes })
      : new RunningProgram(group.runtimes.python, [`${repositoryRoot}test/compat/python/group_member.py`, ...args])
  return foreignMember(name, program, observe)
}

const now = (): bigint => process.hrtime.bigint()

function ourMember(
  name: string,
  { bootstrap, groupId, topic }: GroupSettings,
  settings: Readonly<Record<string, string>>,
  observe: Observer,
): GroupMember {
  const of = (partitions: readonly { readonly partition: number }[]): number[] => partitions.map(one => one.partition)
  const options: ConsumerOptions<string, string> = {
    ...settings,
    groupId,
    clientId: 'ours',
    autoOffsetReset: 'earliest',
    autoCommitIntervalMs: 100,
    key: string,
    value: string,
    onAssigned: partitions => observe({ at: now(), member: name, what: 'assigned', partitions: of(partitions) }),
    onRevoked: partitions => observe({ at: now(), member: name, what: 'revoked', partitions: of(partitions) }),
    onLost: partitions => observe({ at: now(), member: name, what: 'revoked', partitions: of(partitions) }),
  }
  const consumer = connect(bootstrap).consumer(options)
  consumer.subscribe(topic)
  const running = consumer.run(({ partition, value }) =>
    observe({ at: now(), member: name, what: 'record', partitions: [partition], value: value! }),
  )
  running.catch(() => undefined)
  return {
    name,
    leave: async () => {
      observe({ at: now(), member: name, what: 'left', partitions: [] })
      await consumer.close()
      await running
    },
    kill: () => Promise.reject(new Error('ours lives in the process of the test')),
  }
}

function foreignMember(name: string, program: RunningProgram, observe: Observer): GroupMember {
  let read = 0
  const readLines = (): void => {
    const end = program.stdout.lastIndexOf(LINE_END) + 1
    const lines = program.stdout.slice(read, end).split(LINE_END)
    read = Math.max(read, end)
    for (const line of lines) {
      const [at, what, numbers, value] = line.split(' ')
      if (what !== 'assigned' && what !== 'revoked' && what !== 'record' && what !== 'left') continue
      const partitions = numbers === undefined || numbers === '' ? [] : numbers.split(',').map(Number)
      observe({ at: BigInt(at!), member: name, what, partitions, ...(value === undefined ? {} : { value }) })
    }
  }
  program.child.stdout?.on('data', readLines)
  return {
    name,
    leave: async () => {
      program.child.stdin?.end()
      const code = await program.ended(LEAVE_TIMEOUT_MS)
      readLines()
      if (code !== 0) throw new Error(`${name} ended with ${code}\n${tail(program.stderr)}`)
    },
    kill: async () => {
      program.kill('SIGKILL')
      await program.ended(LEAVE_TIMEOUT_MS)
      readLines()
      observe({ at: now(), member: name, what: 'left', partitions: [] })
    },
  }
}
