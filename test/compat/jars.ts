/** Apache Kafka's published jars, fetched once from Maven Central into `.cache/jars` of the repository. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oneAtATime } from './one-at-a-time.ts'
import { run } from './process.ts'

/** The repository's root, with the separator at its end. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url))

/** Where downloads and builds of foreign tools are kept between runs. */
export const cacheDirectory = join(repositoryRoot, '.cache')

/** A set of jars. */
export type JarSet = keyof KafkaJars | 'streams'

/** Directories full of jars; as a Java class path each is written `<directory>/*`. */
export interface KafkaJars {
  /** Apache Kafka 3.9.1 whole: broker, tools, clients, and ZooKeeper 3.8.4. */
  readonly libs: string
  /** Apache Kafka 4.3.0 whole: broker, tools, clients; KRaft alone. */
  readonly libs43: string
  /** kafka-clients 4.3.0 with what it needs. */
  readonly clients43: string
  /** kafka-clients 0.11.0.3 with what it needs. */
  readonly clients0110: string
  /** kafka-clients 0.10.1.1 with what it needs. */
  readonly clients0101: string
  /** kafka-clients 0.9.0.1 with what it needs. */
  readonly clients090: string
}

type Artifact = readonly [group: string, name: string, version: string]

const SLF4J: Artifact = ['org.slf4j', 'slf4j-reload4j', '1.7.36']

const SETS: Readonly<Record<JarSet, readonly Artifact[]>> = {
  libs: [
    ['org.apache.kafka', 'kafka_2.13', '3.9.1'],
    ['org.apache.kafka', 'kafka-tools', '3.9.1'],
    SLF4J,
    // ZooKeeper asks for these two at run time without naming them as dependencies.
    ['io.dropwizard.metrics', 'metrics-core', '4.2.26'],
    ['org.xerial.snappy', 'snappy-java', '1.1.10.5'],
  ],
  libs43: [['org.apache.kafka', 'kafka_2.13', '4.3.0'], ['org.apache.kafka', 'kafka-tools', '4.3.0'], SLF4J],
  clients43: [['org.apache.kafka', 'kafka-clients', '4.3.0'], SLF4J],
  clients0110: [['org.apache.kafka', 'kafka-clients', '0.11.0.3'], SLF4J],
  clients0101: [['org.apache.kafka', 'kafka-clients', '0.10.1.1'], SLF4J],
  clients090: [['org.apache.kafka', 'kafka-clients', '0.9.0.1'], SLF4J],
  // 80 MB, most of it RocksDB, so it is no part of what every test asks for.
  streams: [['org.apache.kafka', 'kafka-streams', '3.9.1'], SLF4J],
}

const DOWNLOAD_TIMEOUT_MS = 600_000

/** Gives the directories of the jars that most tests need, as {@link jarSet} does. */
export async function kafkaJars(): Promise<KafkaJars> {
  const libs = await jarSet('libs')
  const libs43 = await jarSet('libs43')
  const clients43 = await jarSet('clients43')
  const clients0110 = await jarSet('clients0110')
  const clients0101 = await jarSet('clients0101')
  const clients090 = await jarSet('clients090')
  return { libs, libs43, clients43, clients0110, clients0101, clients090 }
}

/**
 * Gives the directory of a set of jars, downloading what is missing. A set appears under its final name only when it is whole, and
 * one process at a time downloads: Maven keeps all that it got in one place.
 *
 * @throws Error with Maven's output when Maven is missing or cannot reach Maven Central.
 */
export async function jarSet(name: JarSet): Promise<string> {
  const pom = pomOf(name, SETS[name])
  const digest = createHash('sha256').update(pom).digest('hex').slice(0, 12)
  const finished = join(cacheDirectory, 'jars', `${name}-${digest}`)
  if (!existsSync(finished)) await oneAtATime('mvn', () => download(pom, finished))
  return finished
}

async function download(pom: string, finished: string): Promise<void> {
  if (existsSync(finished)) return
  const parent = dirname(finished)
  mkdirSync(parent, { recursive: true })
  const work = mkdtempSync(join(parent, '.download-'))
  try {
    writeFileSync(join(work, 'pom.xml'), pom)
    const output = join(work, 'jars')
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`]
    await run('mvn', ['-q', '-B', '-f', join(work, 'pom.xml'), ...goal], { timeoutMs: DOWNLOAD_TIMEOUT_MS })
    renameSync(output, finished)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function pomOf(name: string, artifacts: readonly Artifact[]): string {
  const dependencies = artifacts.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  )
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    `<groupId>monedula</groupId><artifactId>${name.toLowerCase()}</artifactId><version>1</version>`,
    `<packaging>pom</packaging><dependencies>${dependencies.join('\n')}</dependencies></project>`,
  ].join('\n')
}

/** The version of an artifact in a set, for a test's report: `jarVersion('libs', 'kafka-tools')`. */
export function jarVersion(set: JarSet, artifact: string): string {
  return SETS[set].find(([, name]) => name === artifact)?.[2] ?? 'unknown'
}
