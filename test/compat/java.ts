/** Runs classes out of Apache Kafka's jars. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory, type JarSet, jarSet, repositoryRoot } from './jars.ts'
import { RunningProgram, type RunOptions, type RunResult, run } from './process.ts'

/** How a Java class is run. */
export interface JavaOptions extends RunOptions {
  /** Which jars form the class path; `libs` (Apache Kafka 3.9.1) when absent. */
  readonly jars?: JarSet
  /** A directory of classes that come before the jars. */
  readonly classes?: string
  /** Flags of the virtual machine; ones for short-lived tools when absent. */
  readonly flags?: readonly string[]
}

/** Cheap to start: one compiler tier, the simplest collector. */
const TOOL_FLAGS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xmx256m']

/** The arguments of `java` that run `main`: a class name, or the path of a single-file source program. */
export async function javaArguments(
  main: string,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<string[]> {
  const jars = `${await jarSet(options.jars ?? 'libs')}/*`
  const classPath = options.classes === undefined ? jars : `${options.classes}:${jars}`
  const logging = `-Dlog4j.configuration=file:${loggingFile()}`
  return [...(options.flags ?? TOOL_FLAGS), logging, '-cp', classPath, main, ...args]
}

/** Runs a class to its end. */
export async function java(main: string, args: readonly string[], options: JavaOptions = {}): Promise<RunResult> {
  return run('java', await javaArguments(main, args, options), options)
}

/** Starts a class and leaves it running. */
export async function startJava(
  main: string,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<RunningProgram> {
  return new RunningProgram('java', await javaArguments(main, args, options), options)
}

/** Compiles a program that lies beside these tests, for those who start it many times; gives the directory of its classes. */
export async function javaClasses(source: string, jars: JarSet): Promise<string> {
  const directory = join(cacheDirectory, 'classes', jars)
  const classPath = `${await jarSet(jars)}/*`
  await run('javac', ['-d', directory, '-cp', classPath, javaSource(source)])
  return directory
}

/** Path of a Java program that lies beside these tests. */
export function javaSource(name: string): string {
  return join(repositoryRoot, 'test/compat/java', name)
}

/** A log4j configuration that leaves standard output to the program and prints warnings on standard error. */
export function loggingFile(): string {
  const path = join(cacheDirectory, 'log4j-quiet.properties')
  const lines = [
    'log4j.rootLogger=WARN, err',
    'log4j.appender.err=org.apache.log4j.ConsoleAppender',
    'log4j.appender.err.Target=System.err',
    'log4j.appender.err.layout=org.apache.log4j.PatternLayout',
    'log4j.appender.err.layout.ConversionPattern=[%d] %p %m (%c)%n',
  ]
  const content = `${lines.join('\n')}\n`
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return path
  mkdirSync(cacheDirectory, { recursive: true })
  // Other files' programs may be reading it at this moment.
  const next = `${path}.${process.pid}`
  writeFileSync(next, content)
  renameSync(next, path)
  return path
}
