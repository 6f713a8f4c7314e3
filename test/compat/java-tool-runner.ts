/** Many of Kafka's command-line tools, run one after the other in one virtual machine. */
import type { JarSet } from './jars.ts'
import { javaSource, startJava } from './java.ts'
import { PATIENCE_MS, type RunningProgram, type RunResult, sleep, tail } from './process.ts'

/** Where the classes of the tools live. */
export const ToolClass = {
  consoleConsumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  consoleProducer: 'kafka.tools.ConsoleProducer',
  configs: 'kafka.admin.ConfigCommand',
  topics: 'org.apache.kafka.tools.TopicCommand',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  getOffsets: 'org.apache.kafka.tools.GetOffsetShell',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  logDirs: 'org.apache.kafka.tools.LogDirsCommand',
  apiVersions: 'kafka.admin.BrokerApiVersionsCommand',
  leaderElection: 'org.apache.kafka.tools.LeaderElectionCommand',
  cluster: 'org.apache.kafka.tools.ClusterTool',
  compatibility: 'org.apache.kafka.tools.ClientCompatibilityTest',
  producerPerformance: 'org.apache.kafka.tools.ProducerPerformance',
  consumerPerformance: 'org.apache.kafka.tools.ConsumerPerformance',
  endToEndLatency: 'org.apache.kafka.tools.EndToEndLatency',
  dumpLog: 'kafka.tools.DumpLogSegments',
  verifiableProducer: 'org.apache.kafka.tools.VerifiableProducer',
  verifiableConsumer: 'org.apache.kafka.tools.VerifiableConsumer',
  transactions: 'org.apache.kafka.tools.TransactionsCommand',
} as const

/** A virtual machine that waits for commands; see `java/ToolRunner.java` for what is said between the two. */
export class JavaToolRunner {
  readonly #program: RunningProgram

  private constructor(program: RunningProgram) {
    this.#program = program
  }

  static async start(jars: JarSet = 'libs'): Promise<JavaToolRunner> {
    return new JavaToolRunner(await startJava(javaSource('ToolRunner.java'), [], { jars }))
  }

  /** Runs a tool to its end, whatever its exit code. One at a time. */
  async tool(className: string, args: readonly string[], input = ''): Promise<RunResult> {
    const started = Date.now()
    const position = this.#program.stdout.length
    const fields = [input, className, ...args].map(field => Buffer.from(field).toString('base64'))
    this.#program.child.stdin?.write(`${fields.join(' ')}\n`)
    const deadline = started + PATIENCE_MS
    while (!this.#program.stdout.endsWith('\n') || this.#program.stdout.length === position) {
      const shown = `${className} ${args.join(' ')}`
      if (!this.#program.running) throw new Error(`Java ended in ${shown}\n${tail(this.#program.stderr)}`)
      if (Date.now() > deadline) {
        this.#program.kill('SIGQUIT')
        await sleep(500)
        throw new Error(`${shown}: still running\n${tail(this.#program.stdout.slice(position))}`)
      }
      await sleep(5)
    }
    const [code = '1', stdout = '', stderr = ''] = this.#program.stdout.slice(position).trimEnd().split(' ')
    const text = (field: string): string => Buffer.from(field, 'base64').toString()
    return { code: Number(code), stdout: text(stdout), stderr: text(stderr), elapsedMs: Date.now() - started }
  }

  /** Runs a tool that must succeed; gives its standard output. */
  async output(className: string, args: readonly string[], input = ''): Promise<string> {
    const result = await this.tool(className, args, input)
    if (result.code !== 0) {
      throw new Error(`${className} ${args.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`)
    }
    return result.stdout
  }

  async stop(): Promise<void> {
    this.#program.kill('SIGKILL')
    await this.#program.ended()
  }
}
