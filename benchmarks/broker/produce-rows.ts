/** How fast records are taken in, and what that costs the broker. */
import { java } from '../../test/compat/java.ts'
import { ToolClass } from '../../test/compat/java-tool-runner.ts'
import { produce } from './rdkafka-performance.ts'
import { type Figure, GB, type Row, withCpu } from './row.ts'

const FIGURES: readonly Figure[] = [
  { name: 'throughput', unit: 'thousand records/s', digits: 0 },
  { name: 'broker CPU', unit: 's/GB', digits: 2 },
]

/** Records of a full run: enough for some seconds. */
const RECORDS: Readonly<Record<number, number>> = { 100: 3_000_000, 1024: 500_000 }
const JAVA_TIMEOUT_MS = 300_000

interface Shape {
  readonly recordBytes: 100 | 1_024
  readonly partitions: number
  readonly codec: 'none' | 'lz4'
}

const sizeName = (bytes: number): string => (bytes === 100 ? '100 B' : '1 KiB')
const partitionsName = (partitions: number): string => (partitions === 1 ? '1 partition' : `${partitions} partitions`)

function librdkafkaRow({ recordBytes, partitions, codec }: Shape, quick: boolean): Row {
  const size = sizeName(recordBytes)
  return {
    id: `produce-${recordBytes}-${partitions}-${codec}`,
    title: `produce ${size}, ${partitionsName(partitions)}${codec === 'none' ? '' : `, ${codec}`} (librdkafka)`,
    figures: FIGURES,
    ownsBroker: false,
    quick,
    measure: async (contender, scale) => {
      const records = Math.round((RECORDS[recordBytes] ?? 0) * scale.load)
      const topic = await contender.newTopic(partitions)
      const load = { bootstrap: contender.bootstrap, topic, partitions, records, recordBytes, codec }
      const [rate, cpu] = await withCpu(contender, () => produce(load))
      return [rate / 1_000, cpu / ((records * recordBytes) / GB)]
    },
  }
}

function javaRow(partitions: number, { quick, isIdempotent }: { quick: boolean; isIdempotent: boolean }): Row {
  const recordBytes = 100
  return {
    id: `produce-${isIdempotent ? 'idempotent' : 'java'}-100-${partitions}`,
    title: `produce 100 B, ${partitionsName(partitions)}${isIdempotent ? ', idempotent' : ''} (Java)`,
    figures: FIGURES,
    ownsBroker: false,
    quick,
    measure: async (contender, scale) => {
      const records = Math.round(2_000_000 * scale.load)
      const topic = await contender.newTopic(partitions)
      const load = ['--topic', topic, '--num-records', `${records}`, '--record-size', `${recordBytes}`]
      const properties = [
        `bootstrap.servers=${contender.bootstrap}`,
        ...(isIdempotent ? ['acks=all', 'enable.idempotence=true'] : ['acks=1', 'enable.idempotence=false']),
        'linger.ms=5',
      ]
      const args = [...load, '--throughput', '-1', '--producer-props', ...properties]
      const [output, cpu] = await withCpu(contender, async () => {
        const { stdout } = await java(ToolClass.producerPerformance, args, {
          flags: ['-Xmx512m'],
          timeoutMs: JAVA_TIMEOUT_MS,
        })
        return stdout
      })
      const total = new RegExp(`^${records} records sent, ([\\d.]+) records/sec`, 'm').exec(output)
      if (total === null) throw new Error(`not all records were sent:\n${output}`)
      return [Number(total[1]) / 1_000, cpu / ((records * recordBytes) / GB)]
    },
  }
}

/** Every measurement of producing. */
export const produceRows: readonly Row[] = [
  librdkafkaRow({ recordBytes: 100, partitions: 1, codec: 'none' }, true),
  librdkafkaRow({ recordBytes: 100, partitions: 6, codec: 'none' }, true),
  librdkafkaRow({ recordBytes: 1_024, partitions: 1, codec: 'none' }, true),
  librdkafkaRow({ recordBytes: 1_024, partitions: 6, codec: 'none' }, false),
  librdkafkaRow({ recordBytes: 100, partitions: 1, codec: 'lz4' }, false),
  librdkafkaRow({ recordBytes: 100, partitions: 6, codec: 'lz4' }, false),
  librdkafkaRow({ recordBytes: 1_024, partitions: 1, codec: 'lz4' }, false),
  librdkafkaRow({ recordBytes: 1_024, partitions: 6, codec: 'lz4' }, false),
  javaRow(1, { quick: false, isIdempotent: false }),
  javaRow(6, { quick: false, isIdempotent: false }),
  javaRow(1, { quick: false, isIdempotent: true }),
  javaRow(6, { quick: true, isIdempotent: true }),
]
