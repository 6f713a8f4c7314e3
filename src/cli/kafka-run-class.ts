/**
 * kafka-run-class.sh: runs the tool that goes by a Java class name in Kafka: `kafka-run-class.sh CLASS [ARGUMENT ...]`.
 */
const TOOLS: Readonly<Record<string, () => Promise<{ readonly main: (args: readonly string[]) => Promise<void> }>>> = {
  'kafka.Kafka': () => import('./kafka-server.ts'),
}

const [className, ...args] = process.argv.slice(2)
const load = className === undefined ? undefined : TOOLS[className]
if (!load) {
  if (className === undefined) console.error('USAGE: kafka-run-class.sh classname [arguments]')
  else console.error(`kafka-run-class.sh: no tool ${className}; there are ${Object.keys(TOOLS).join(', ')}`)
  process.exitCode = 1
} else {
  const tool = await load()
  await tool.main(args)
}
