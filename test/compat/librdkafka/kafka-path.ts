/** What the suite looks for below `KAFKA_PATH`: Kafka's jars and scripts, as far as its tests use them. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaJars } from '../jars.ts'
import { javaArguments, loggingFile } from '../java.ts'
import { ToolClass } from '../java-tool-runner.ts'

/** Makes such a folder below `directory` and gives its path; its scripts run classes out of Kafka's jars. */
export async function kafkaPath(directory: string): Promise<string> {
  const home = join(directory, 'kafka')
  mkdirSync(join(home, 'bin'), { recursive: true })
  const { libs } = await kafkaJars()
  symlinkSync(libs, join(home, 'libs'))
  const topics = ['java', ...(await javaArguments(ToolClass.topics, []))].map(word => `'${word}'`).join(' ')
  script(home, 'kafka-topics.sh', topics)
  script(home, 'kafka-run-class.sh', `java '-Dlog4j.configuration=file:${loggingFile()}' -cp "$CLASSPATH:${libs}/*"`)
  return home
}

function script(home: string, name: string, command: string): void {
  const file = join(home, 'bin', name)
  writeFileSync(file, `#!/bin/sh\nexec ${command} "$@"\n`)
  chmodSync(file, 0o755)
}
