/** What the suite looks for below `KAFKA_PATH`: Kafka's scripts, of which its tests call `kafka-topics.sh`. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { javaArguments } from '../java.ts'
import { ToolClass } from '../java-tool-runner.ts'

/** Makes such a folder below `directory` and gives its path; its script runs the class out of Kafka's jars. */
export async function kafkaPath(directory: string): Promise<string> {
  const home = join(directory, 'kafka')
  mkdirSync(join(home, 'bin'), { recursive: true })
  const script = join(home, 'bin/kafka-topics.sh')
  const command = ['java', ...(await javaArguments(ToolClass.topics, []))].map(word => `'${word}'`).join(' ')
  writeFileSync(script, `#!/bin/sh\nexec ${command} "$@"\n`)
  chmodSync(script, 0o755)
  return home
}
