/** librdkafka's performance program as a load. */
import { RunningProgram, run } from '../../test/compat/process.ts'
import { librdkafkaExamples } from '../../test/compat/tools.ts'

const LOAD_TIMEOUT_MS = 300_000

/** A load of records, all of one size. */
export interface Load {
  readonly bootstrap: string
  readonly topic: string
  readonly partitions: number
  readonly records: number
  readonly recordBytes: number
  readonly codec?: 'none' | 'lz4'
}

/** Produces as fast as the broker takes it; gives records a second. */
export async function produce(load: Load): Promise<number> {
  const what = [
    '-t',
    load.topic,
    '-s',
    `${load.recordBytes}`,
    '-c',
    `${load.records}`,
    '-a',
    '1',
    '-z',
    load.codec ?? 'none',
  ]
  const output = await runPerformance(['-P', '-b', load.bootstrap, ...what, '-q'])
  const delivered = /messages produced \(\d+ bytes\), (\d+) delivered .*?: (\d+) msgs\/s/.exec(
    lastMatchOf(output, 'produced'),
  )
  if (Number(delivered?.[1]) !== load.records) throw new Error(`not all records were delivered:\n${output}`)
  return Number(delivered?.[2])
}

/** Consumes all partitions from their beginning; gives records a second. */
export async function consume(load: Load): Promise<number> {
  const partitions = Array.from({ length: load.partitions }, (_, id) => ['-p', `${id}`]).flat()
  const what = ['-t', load.topic, ...partitions, '-o', 'beginning', '-c', `${load.records}`]
  const output = await runPerformance(['-C', '-b', load.bootstrap, ...what, '-q'])
  const consumed = /(\d+) messages \(\d+ bytes\) consumed in \d+ms: (\d+) msgs\/s/.exec(lastMatchOf(output, 'consumed'))
  if (Number(consumed?.[1]) < load.records) throw new Error(`not all records were consumed:\n${output}`)
  return Number(consumed?.[2])
}

/** Starts a reader of the first partition that begins at its end and reads on until it is killed. */
export async function startConsumerAtEnd(bootstrap: string, topic: string): Promise<RunningProgram> {
  const { performance } = await librdkafkaExamples()
  const args = ['-C', '-b', bootstrap, '-t', topic, '-p', '0', '-o', 'end', '-c', '1000000000', '-q']
  return new RunningProgram(performance, args)
}

async function runPerformance(args: readonly string[]): Promise<string> {
  const { performance } = await librdkafkaExamples()
  const { stdout } = await run(performance, args, { timeoutMs: LOAD_TIMEOUT_MS })
  return stdout
}

/** The last line that speaks of `word`: earlier ones are interim reports. */
function lastMatchOf(output: string, word: string): string {
  return (
    output
      .split('\n')
      .filter(line => line.includes(word) && line.includes('msgs/s'))
      .at(-1) ?? ''
  )
}
