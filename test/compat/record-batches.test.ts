/** Java reads the batches and message sets that we write, and says of each record what we say. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  batches,
  COMPRESSION_TYPES,
  decodeEndTxnMarker,
  decodeRecords,
  downconvert,
  encodeBatch,
  encodeEndTxnMarker,
  encodeMessageSet,
  type LogRecord,
  patchBatch,
  setMaxTimestamp,
  upconvert,
} from '../../src/protocol/index.ts'
import { jarVersion, kafkaJars, repositoryRoot } from './jars.ts'
import { run } from './process.ts'

const TIME = 1_700_000_000_000
const LIMITS = { maxBytes: 1 << 22 }

/** Records of every kind, then enough of them for several blocks of every codec. */
function someRecords(): LogRecord[] {
  const utf8 = (text: string): Uint8Array => Buffer.from(text)
  const headers = [
    { key: 'h', value: utf8('v') },
    { key: 'kavka \u010dern\u00e1', value: null },
    { key: '', value: utf8('') },
  ]
  const kinds = [
    { timestamp: TIME, key: utf8('k'), value: utf8('v'), headers },
    { timestamp: TIME - 5, key: null, value: utf8('v'), headers: [] },
    { timestamp: TIME + 5_000_000_000, key: utf8(''), value: null, headers: [] },
  ]
  const many = Array.from({ length: 200 }, (_, index) => ({
    timestamp: TIME + index,
    key: utf8(`key ${index}`),
    // Some of it compresses well and some not at all.
    value: index % 3 === 0 ? pseudoRandom(2000, index) : utf8(`value ${index} `.repeat(150)),
    headers: [],
  }))
  return [...kinds, ...many].map((record, index) => ({ ...record, offset: 500 + index }))
}

function pseudoRandom(length: number, seed: number): Uint8Array {
  let state = seed + 1
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 16
  })
}

/** Files of bytes by name: what we write in every format and codec. */
function samples(): Record<string, Uint8Array> {
  const records = someRecords()
  const files: Record<string, Uint8Array> = { 'v2-empty': encodeBatch({ records: [], baseOffset: 7 }) }
  for (const compression of COMPRESSION_TYPES) {
    const batch = encodeBatch({ records, baseOffset: 500, compression })
    files[`v2-${compression}`] = Buffer.concat([batch, encodeBatch({ records: records.slice(0, 3), compression })])
    if (compression === 'zstd') continue
    for (const magic of [0, 1] as const) {
      const set = encodeMessageSet({ magic, messages: records, compression })
      files[`v${magic}-${compression}`] = set
      files[`v${magic}-${compression}-up`] = upconvert(set, LIMITS)
      files[`v${magic}-${compression}-down`] = downconvert(batch, { ...LIMITS, magic })
    }
  }
  for (const compressionLevel of [1, 17]) {
    files[`v2-lz4-level-${compressionLevel}`] = encodeBatch({ records, compression: 'lz4', compressionLevel })
  }
  const patched = encodeBatch({
    records,
    producerId: 2 ** 40,
    producerEpoch: 1,
    baseSequence: 9,
    isTransactional: true,
  })
  patchBatch(patched, 0, { baseOffset: 2 ** 45, partitionLeaderEpoch: 6 })
  setMaxTimestamp(patched, 0, { timestampType: 'LogAppendTime', maxTimestamp: TIME + 77 })
  files['v2-patched'] = patched
  for (const result of ['commit', 'abort'] as const) {
    const marker = { result, coordinatorEpoch: 3, producerId: 8, producerEpoch: 2, timestamp: TIME, baseOffset: 40 }
    files[`v2-${result}`] = encodeEndTxnMarker(marker)
  }
  return files
}

/** What Batches.java prints of the same bytes. */
function described(name: string, bytes: Uint8Array): string[] {
  const hex = (field: Uint8Array | null): string =>
    field === null ? 'null' : `'${Buffer.from(field).toString('hex')}'`
  const lines = [`file ${name}`]
  for (const header of batches(bytes)) {
    const records = [...decodeRecords(bytes, header, LIMITS)]
    const first = header.magic === 2 ? header.baseOffset : records[0]!.offset
    // Format 0 has no timestamps, and Java no name for whose they would be.
    const type = header.magic === 0 ? 'NoTimestampType' : header.timestampType
    lines.push(
      [
        `batch magic=${header.magic} codec=${header.compression} offsets=${first}-${header.lastOffset}`,
        `epoch=${header.partitionLeaderEpoch}`,
        `producer=${header.producerId}/${header.producerEpoch}/${header.baseSequence}`,
        `time=${type}:${header.maxTimestamp} control=${header.isControl}`,
        `transactional=${header.isTransactional} size=${header.length}`,
      ].join(' '),
    )
    for (const record of records) {
      const headers = record.headers.map(({ key, value }) => ` ${hex(Buffer.from(key))}=${hex(value)}`).join('')
      const marker = header.isControl ? decodeEndTxnMarker(record) : undefined
      const ending = marker === undefined ? '' : ` ${marker.result.toUpperCase()}:${marker.coordinatorEpoch}`
      lines.push(
        `record ${record.offset} ${record.timestamp} ${hex(record.key)} ${hex(record.value)}${headers}${ending}`,
      )
    }
  }
  return [...lines, `bytes ${bytes.length} of ${bytes.length}`]
}

test(`kafka-clients ${jarVersion('libs', 'kafka-tools')} reads what we write in every format and codec`, async t => {
  const { libs } = await kafkaJars()
  const directory = mkdtempSync(join(tmpdir(), 'monedula-batches-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const files = samples()
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes)
  const program = join(repositoryRoot, 'test/compat/java/Batches.java')
  const paths = Object.keys(files).map(name => join(directory, name))
  const options = ['-XX:TieredStopAtLevel=1', '-cp', `${libs}/*`]
  const { stdout } = await run('java', [...options, program, 'read', ...paths], { timeoutMs: 120_000 })
  const said = stdout.trimEnd().split(/\n(?=file )/)
  assert.equal(said.length, paths.length)
  for (const [index, name] of Object.keys(files).entries()) {
    await t.test(name, () => assert.deepEqual(said[index]!.split('\n'), described(name, files[name]!)))
  }
})
