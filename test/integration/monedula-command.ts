/** The `monedula` command as people type it, run against a cluster inside of a test. */
import type { TestCluster } from '../../src/testing/index.ts'
import { RunningProgram, type RunOptions, type RunResult, run } from '../compat/process.ts'
import { bin } from './broker-process.ts'

/** A command line whose words have no blanks, or a list of words. */
type Words = string | readonly string[]

/** Arguments of Node that run a command against a cluster. */
export const argumentsOf = (cluster: Pick<TestCluster, 'bootstrapServers'>, words: Words): string[] => [
  bin('monedula.js'),
  ...(typeof words === 'string' ? words.split(' ') : words),
  '-b',
  cluster.bootstrapServers,
]

/** Runs a command to its end. */
export function monedula(
  cluster: Pick<TestCluster, 'bootstrapServers'>,
  words: Words,
  options: RunOptions = {},
): Promise<RunResult> {
  return run(process.execPath, argumentsOf(cluster, words), options)
}

/** Starts a command that goes on by itself. */
export function startMonedula(cluster: Pick<TestCluster, 'bootstrapServers'>, words: Words): RunningProgram {
  return new RunningProgram(process.execPath, argumentsOf(cluster, words))
}

/** What a command that fails says on standard error. */
export async function refusal(
  cluster: Pick<TestCluster, 'bootstrapServers'>,
  words: Words,
  input = '',
): Promise<string> {
  return (await monedula(cluster, words, { input, expectedCodes: [1] })).stderr
}
