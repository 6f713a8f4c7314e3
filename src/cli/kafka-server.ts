import { nodeDisk } from '../platform/index.ts'
import { runBroker } from './run-broker.ts'
import { readServerProperties } from './server-properties.ts'

const USAGE = `USAGE: kafka-server-start.sh [-daemon] server.properties [--override property=value]*
Option               Description
------               -----------
--override <String>  Optional property that should override values set in
                       server.properties file
--version            Print version information and exit.`

/** kafka.Kafka: `server.properties [--override property=value]*`. */
export async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--version')) {
    const { version } = await import('./version.ts')
    console.log(`${version} (monedula)`)
    return
  }
  const [file, ...rest] = args
  const overrides: string[] = []
  while (rest.length > 0) {
    const flag = rest.shift()
    const value = flag?.startsWith('--override=') ? flag.slice('--override='.length) : rest.shift()
    if (!flag?.startsWith('--override') || value === undefined) return usage(`Found non argument parameters: ${flag}`)
    overrides.push(value)
  }
  if (file === undefined || file.startsWith('--')) return usage()
  let properties: Map<string, string>
  try {
    properties = readServerProperties(nodeDisk, file, overrides)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exit(1)
  }
  await runBroker({ properties })
}

function usage(problem?: string): never {
  if (problem) console.error(problem)
  console.error(USAGE)
  process.exit(1)
}
