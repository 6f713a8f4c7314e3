/** How fast records are given out: to readers far behind, whose records lie in files, and to readers at the tail. */
import { java, startJava } from '../../test/compat/java.ts'
import { ToolClass } from '../../test/compat/java-tool-runner.ts'
import { type RunningProgram, sleep } from '../../test/compat/process.ts'
import type { Contender } from './contender.ts'
import { consume, produce, startConsumerAtEnd } from './rdkafka-performance.ts'
import { type Figure, GB, type Row, type Scale, withCpu } from './row.ts'

const FIGURES: readonly Figure[] = [
  { name: 'throughput', unit: 'thousand records/s', digits: 0 },
  { name: 'broker CPU', unit: 's/GB', digits: 2 },
]
const RECORDS: Readonly<Record<number, number>> = { 100: 6_000_000, 1024: 1_000_000 }
const JAVA_TIMEOUT_MS = 300_000

/** Topics that were filled once and are read by every run. */
const filled = new WeakMap<Contender, Map<string, Promise<string>>>()

interface Filled {
  readonly partitions: number
  readonly recordBytes: number
  readonly records: number
}

/** A topic of this shape, filled when it is first asked for. */
function filledTopic(contender: Contender, shape: Filled): Promise<string> {
  const topics = filled.get(contender) ?? new Map<string, Promise<string>>()
  filled.set(contender, topics)
  const key = JSON.stringify(shape)
  const fill = async (): Promise<string> => {
    const topic = await contender.newTopic(shape.partitions)
    await produce({ bootstrap: contender.bootstrap, topic, ...shape })
    return topic
  }
  const topic = topics.get(key) ?? fill()
  topics.set(key, topic)
  return topic
}

function shapeOf(recordBytes: number, partitions: number, scale: Scale): Filled {
  return { recordBytes, partitions, records: Math.round((RECORDS[recordBytes] ?? 0) * scale.load) }
}

function behindRow(recordBytes: 100 | 1_024, partitions: number, quick: boolean): Row {
  const where = `${recordBytes === 100 ? '100 B' : '1 KiB'}, ${partitions === 1 ? '1 partition' : `${partitions} partitions`}`
  return {
    id: `consume-${recordBytes}-${partitions}`,
    title: `consume far behind, ${where} (librdkafka)`,
    figures: FIGURES,
    ownsBroker: false,
    quick,
    measure: async (contender, scale) => {
      const shape = shapeOf(recordBytes, partitions, scale)
      const topic = await filledTopic(contender, shape)
      const [rate, cpu] = await withCpu(contender, () => consume({ bootstrap: contender.bootstrap, topic, ...shape }))
      return [rate / 1_000, cpu / ((shape.records * recordBytes) / GB)]
    },
  }
}

function javaBehindRow(partitions: number, quick: boolean): Row {
  const recordBytes = 100
  return {
    id: `consume-java-100-${partitions}`,
    title: `consume far behind, 100 B, ${partitions} partitions (Java)`,
    figures: FIGURES,
    ownsBroker: false,
    quick,
    measure: async (contender, scale) => {
      const shape = shapeOf(recordBytes, partitions, scale)
      const topic = await filledTopic(contender, shape)
      const what = ['--topic', topic, '--messages', `${shape.records}`, '--timeout', '60000']
      const [output, cpu] = await withCpu(contender, async () => {
        const args = ['--bootstrap-server', contender.bootstrap, ...what]
        return (await java(ToolClass.consumerPerformance, args, { flags: ['-Xmx512m'], timeoutMs: JAVA_TIMEOUT_MS }))
          .stdout
      })
      const fields = output.trimEnd().split('\n').at(-1)?.split(', ') ?? []
      if (Number(fields[4]) < shape.records) throw new Error(`not all records were consumed:\n${output}`)
      return [Number(fields[9]) / 1_000, cpu / ((shape.records * recordBytes) / GB)]
    },
  }
}

const TAIL = { recordBytes: 1_024, recordsPerSecond: 20_000, readers: 6, aloneMs: 4_000, togetherMs: 6_000 }

/**
 * Readers that keep up with a producer of a fixed rate. What they cost is the broker's CPU with them less its CPU
 * while the same producer runs alone, before and after.
 */
const tailRow: Row = {
  id: 'consume-tail',
  title: `consume at the tail, 1 KiB, ${TAIL.readers} readers of ${TAIL.recordsPerSecond} records/s (librdkafka)`,
  figures: [{ name: 'broker CPU', unit: 's/GB', digits: 2 }],
  ownsBroker: false,
  quick: true,
  measure: async contender => {
    const topic = await contender.newTopic(1)
    const producer = await startTailProducer(contender, topic)
    let readers: RunningProgram[] = []
    const stopReaders = async (): Promise<void> => {
      for (const reader of readers) reader.kill('SIGKILL')
      for (const reader of readers) await reader.ended(10_000)
      readers = []
    }
    try {
      await sleep(4_000)
      const [, before] = await withCpu(contender, () => sleep(TAIL.aloneMs))
      for (let i = 0; i < TAIL.readers; i++) readers.push(await startConsumerAtEnd(contender.bootstrap, topic))
      await sleep(2_000)
      const [, together] = await withCpu(contender, () => sleep(TAIL.togetherMs))
      await stopReaders()
      await sleep(500)
      const [, after] = await withCpu(contender, () => sleep(TAIL.aloneMs))
      const readersCpu = together - ((before + after) * TAIL.togetherMs) / (2 * TAIL.aloneMs)
      const bytes = (TAIL.recordsPerSecond * TAIL.togetherMs * TAIL.recordBytes * TAIL.readers) / 1_000
      return [readersCpu / (bytes / GB)]
    } finally {
      producer.kill('SIGKILL')
      await producer.ended(10_000)
      await stopReaders()
    }
  },
}

function startTailProducer(contender: Contender, topic: string): Promise<RunningProgram> {
  const load = ['--topic', topic, '--num-records', '100000000', '--record-size', `${TAIL.recordBytes}`]
  const properties = [`bootstrap.servers=${contender.bootstrap}`, 'acks=1', 'enable.idempotence=false', 'linger.ms=5']
  const args = [...load, '--throughput', `${TAIL.recordsPerSecond}`, '--producer-props', ...properties]
  return startJava(ToolClass.producerPerformance, args, { flags: ['-Xmx256m'] })
}

/** Every measurement of consuming. */
export const consumeRows: readonly Row[] = [
  behindRow(100, 1, true),
  behindRow(100, 6, false),
  behindRow(1_024, 1, false),
  javaBehindRow(6, false),
  tailRow,
]
