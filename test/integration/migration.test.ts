/** Who moves from another client finds every name of it in the guide, and his keys where they were. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { partitionForKey } from '../../src/client/producer/murmur2.ts'
import { fromRoot } from './broker-process.ts'

/** Types whose every member has a row of its own, under a heading that names the type. */
const WITH_MEMBERS = [
  'KafkaConfig',
  'RetryOptions',
  'ProducerConfig',
  'Producer',
  'Transaction',
  'Sender',
  'ProducerRecord',
  'ProducerBatch',
  'TopicMessages',
  'Message',
  'RecordMetadata',
  'ConsumerConfig',
  'Consumer',
  'ConsumerRunConfig',
  'EachMessagePayload',
  'EachBatchPayload',
  'Batch',
  'Admin',
  'AdminConfig',
  'ProducerEvents',
  'ConsumerEvents',
  'AdminEvents',
]

/** Identifiers that stand in code in a text. */
const inCode = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => code.match(/\w+/g) ?? [])

/** What stands in the first column of tables, by the names in the heading above. */
function firstColumns(page: string): { readonly heading: string; readonly names: ReadonlySet<string> }[] {
  return page.split(/^###? /m).map(section => {
    const [heading = '', ...lines] = section.split('\n')
    const cells = lines.filter(line => line.startsWith('| ')).map(line => line.split(' | ')[0] ?? '')
    return { heading, names: new Set(cells.flatMap(inCode)) }
  })
}

function membersOf(types: string, name: string): string[] {
  const [, body = ''] =
    new RegExp(`^(?:export )?(?:type|interface) ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(types) ?? []
  return [...new Set([...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, member = '']) => member))]
}

test('each name of kafkajs has a row that says what it is here', () => {
  const types = readFileSync(fromRoot('node_modules/kafkajs/types/index.d.ts'), 'utf8')
  const columns = firstColumns(readFileSync(fromRoot('docs/guides/from-kafkajs.md'), 'utf8'))
  const missing: string[] = []
  for (const type of WITH_MEMBERS) {
    const members = membersOf(types, type)
    assert.ok(members.length > 0, `${type} has members`)
    const rows = columns.filter(({ heading }) => inCode(heading).includes(type))
    missing.push(...members.filter(name => !rows.some(({ names }) => names.has(name))).map(name => `${type}.${name}`))
  }
  const exported = [...types.matchAll(/^export (?:class|type|interface|enum|const|var) (\w+)/gm)].map(
    ([, name = '']) => name,
  )
  const everywhere = new Set(columns.flatMap(({ heading, names }) => [...names, ...inCode(heading)]))
  missing.push(...exported.filter(name => !everywhere.has(name)))
  assert.deepEqual(missing, [])
})

test("a key goes to the partition where kafkajs's default partitioner puts it", () => {
  const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 0,
    replicas: [0],
    isr: [0],
  }))
  const theirs = kafkajs.Partitioners.DefaultPartitioner()
  for (let n = 0; n < 2_000; n++) {
    const key = `ключ-${n * 7919}`.slice(-1 - (n % 12))
    assert.equal(partitionForKey(key, 7), theirs({ topic: 'orders', partitionMetadata, message: { key, value: null } }))
  }
})
