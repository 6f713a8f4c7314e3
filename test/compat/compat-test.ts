/** The frame of a compatibility test: a broker, a foreign tool, and the name of both in the report. */
import { type TestContext, test } from 'node:test'
import { type BrokerOptions, BrokerProcess, targetVersion } from './broker-process.ts'
import { LONG_TEST_MS } from './process.ts'
import { toolOrSkip } from './tools.ts'

/** What a compatibility test is about. */
export interface CompatTest<Tool> {
  /** The tool's name, as the report shows it. */
  readonly tool: string
  /** Installs the tool, and gives what the steps need to run it. */
  readonly install: () => Promise<Tool>
  /** The version, once it is installed. */
  readonly version: (tool: Tool) => string
  readonly broker?: BrokerOptions
  /** How long installing and all steps may take, ms; {@link LONG_TEST_MS} when absent. */
  readonly timeoutMs?: number
  /** Runs the steps, each a subtest. */
  readonly steps: (context: TestContext, broker: BrokerProcess, tool: Tool) => Promise<void>
}

/** Registers a compatibility test with one broker for all its steps. */
export function compatTest<Tool>(definition: CompatTest<Tool>): void {
  const timeout = definition.timeoutMs ?? LONG_TEST_MS
  test(`${definition.tool} against ${targetVersion(definition.broker?.target)}`, { timeout }, async context => {
    const tool = await toolOrSkip(context, definition.tool, definition.install)
    if (tool === undefined) return
    console.log(`# ${definition.tool}: ${definition.version(tool)}`)
    const broker = await BrokerProcess.start(definition.broker)
    try {
      await definition.steps(context, broker, tool)
    } finally {
      await broker.dispose()
    }
  })
}
