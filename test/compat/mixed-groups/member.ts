/** Members of one group, each of another client, that say what they own and read, by one clock. */
import { fileURLToPath } from 'node:url'
import { jarVersion, repositoryRoot } from '../jars.ts'
import { javaClasses, startJava } from '../java.ts'
import { RunningProgram, tail } from '../process.ts'
import { pythonWith } from '../tools.ts'
import type { Happening } from './observed-group.ts'

const JARS = 'clients43'

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
  /** Ends at once: the group has to notice. */
  kill(): Promise<void>
  /** Stands still until told to go on, heartbeats and all. */
  freeze(): void
  thaw(): void
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
  const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  const args = [group.bootstrap, group.groupId, group.topic, ...pairs]
  return observed(name, await startProgram(client, group.runtimes, args), observe)
}

async function startProgram(client: ClientName, runtimes: Runtimes, args: readonly string[]): Promise<RunningProgram> {
  switch (client) {
    case 'ours':
      return new RunningProgram(process.execPath, [fileURLToPath(new URL('our-member.js', import.meta.url)), ...args])
    case 'java':
      return startJava('GroupMember', args, { jars: JARS, classes: runtimes.classes })
    case 'librdkafka':
      return new RunningProgram(runtimes.python, [`${repositoryRoot}test/compat/python/group_member.py`, ...args])
  }
}

const now = (): bigint => process.hrtime.bigint()

function observed(name: string, program: RunningProgram, observe: Observer): GroupMember {
  let read = 0
  const readLines = (): void => {
    const end = program.stdout.lastIndexOf('\n') + 1
    const lines = program.stdout.slice(read, end).split('\n')
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
      const code = await program.ended()
      readLines()
      if (code !== 0) throw new Error(`${name} ended with ${code}\n${tail(program.stderr)}`)
    },
    freeze: () => program.kill('SIGSTOP'),
    thaw: () => program.kill('SIGCONT'),
    kill: async () => {
      program.kill('SIGKILL')
      await program.ended()
      readLines()
      observe({ at: now(), member: name, what: 'left', partitions: [] })
    },
  }
}
