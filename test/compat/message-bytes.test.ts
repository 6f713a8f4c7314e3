/**
 * Our bytes against the classes that Kafka generates from its own schemas: for every message and version, Java reads what we wrote,
 * writes it again, and the bytes are the same. With the round trip of the unit tests this holds for reading as well.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { seededRandom } from '../../src/platform/index.ts'
import * as protocol from '../../src/protocol/everything.ts'
import { sampleMessage } from '../../src/protocol/sample-message.ts'
import { kafkaJars } from './jars.ts'
import { run } from './process.ts'

const program = fileURLToPath(new URL('../../../test/compat/java/RoundTrip.java', import.meta.url))
const SAMPLES = 10

/** Messages of early-access APIs that 4.x changed without a new version: we speak the later form. */
const CHANGED_SINCE_39 = ['ReadShareGroupStateSummaryResponse v0']

const exported: readonly unknown[] = Object.values(protocol)
const schemas = exported.filter(
  (value): value is protocol.Schema => typeof value === 'object' && value !== null && 'flexibleFrom' in value,
)

/** The names that Java's classes have for a message, in Kafka 3.9 or 4.3. */
function javaNames(schema: protocol.Schema): string[] {
  const suffix = schema.kind === 'request' ? 'Request' : schema.kind === 'response' ? 'Response' : ''
  const names = schema.name === 'ListConfigResources' ? [schema.name, 'ListClientMetricsResources'] : [schema.name]
  return names.map(name => name + suffix)
}

let directory = ''
let file = ''
let written = 0

before(() => {
  const random = seededRandom(0x6d6f6e65)
  const writer = new protocol.ByteWriter()
  for (const schema of schemas) {
    for (let version = schema.versions.min; version <= schema.versions.max; version++) {
      for (let sample = 0; sample < SAMPLES; sample++) {
        const bytes = protocol.encodeMessageBytes(schema, version, sampleMessage(schema, version, random))
        for (const name of javaNames(schema)) {
          writer.string(name)
          writer.int16(version)
          writer.sizedBytes(bytes)
          written++
        }
      }
    }
  }
  directory = mkdtempSync(join(tmpdir(), 'monedula-messages-'))
  file = join(directory, 'messages.bin')
  writeFileSync(file, writer.finish())
})

after(() => rmSync(directory, { recursive: true }))

/** Runs the Java program; answers the messages that it found to differ, and which classes it has not. */
async function javaReads(classPath: string): Promise<{ differing: string[]; read: number; missing: string[] }> {
  const { stdout } = await run('java', ['-cp', classPath, program, file], { timeoutMs: 120_000 })
  const lines = stdout.trim().split('\n')
  const summary = /^read (\d+), other versions (\d+), other classes \[(.*)\]$/.exec(lines.pop() ?? '')
  assert(summary, stdout)
  return {
    differing: lines,
    read: Number(summary[1]),
    missing: (summary[3] ?? '').split(', ').filter(name => name !== ''),
  }
}

test("Kafka 3.9.1's own classes read and write the same bytes", async () => {
  const { libs } = await kafkaJars()
  const { differing, read, missing } = await javaReads(`${libs}/*`)
  assert.deepEqual(
    differing.filter(line => !CHANGED_SINCE_39.some(name => line.startsWith(`${name}:`))),
    [],
  )
  const newer = /^(AlterShare|DeleteShareGroupOff|DescribeShare|ControlRecordType|EndTxnMarker|ListConfig|Streams)/
  assert.deepEqual(
    missing.filter(name => !newer.test(name)),
    [],
  )
  console.log(`kafka-clients 3.9.1 read ${read} of ${written} messages`)
})

test("Kafka 4.3.0's own classes read and write the same bytes", async () => {
  const { clients43 } = await kafkaJars()
  const { differing, read, missing } = await javaReads(`${clients43}/*`)
  assert.deepEqual(differing, [])
  // Gone with ZooKeeper, or in jars other than the client's.
  const elsewhere =
    /^(ControlledShutdown|LeaderAndIsr|StopReplica|UpdateMetadata|ListClientMetrics)|(Key|Value|Metadata(Snapshot|Update|Delete)?Record)$/
  assert.deepEqual(
    missing.filter(name => !elsewhere.test(name)),
    [],
  )
  console.log(`kafka-clients 4.3.0 read ${read} of ${written} messages`)
})
