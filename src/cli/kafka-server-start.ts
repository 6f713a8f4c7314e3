/**
 * kafka-server-start.sh: `[-daemon] [-name NAME] [-loggc] server.properties [--override property=value]*`.
 * `-daemon` leaves the broker running in the background with its output in `$LOG_DIR/NAME.out` (`logs/kafkaServer.out`).
 * The script passes the class name `kafka.Kafka` first, so that it stands on the process's command line, where
 * kafka-server-stop.sh and other people's scripts look for it.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeDisk, openOutput } from '../platform/index.ts'
import { main } from './kafka-server.ts'

const args = process.argv.slice(3)
let isDaemon = false
let name = 'kafkaServer'
while (args[0]?.startsWith('-') && !args[0].startsWith('--')) {
  const flag = args.shift()
  if (flag === '-daemon') isDaemon = true
  else if (flag === '-name') name = args.shift() ?? name
  else if (flag !== '-loggc') {
    console.error(`kafka-server-start.sh: unknown flag ${flag}; it takes -daemon, -name NAME and -loggc`)
    process.exit(1)
  }
}

if (isDaemon && args.length > 0) {
  const home = fileURLToPath(new URL('../../..', import.meta.url))
  const directory = process.env.LOG_DIR ?? `${home}logs`
  nodeDisk.makeDirectory(directory)
  const output = openOutput(`${directory}/${name}.out`)
  const runClass = fileURLToPath(new URL('./kafka-run-class.js', import.meta.url))
  const broker = spawn(process.execPath, [runClass, 'kafka.Kafka', ...args], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  broker.unref()
} else {
  await main(args)
}
