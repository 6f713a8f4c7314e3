/**
 * kafka-server-stop.sh: asks every broker on this machine to stop (SIGTERM, or the signal in `SIGNAL`), as Kafka's
 * script does: by the class name on the process's command line.
 */
import { execFileSync } from 'node:child_process'

const signal = process.env.SIGNAL ?? 'TERM'
const processes = listProcesses().split('\n')
const brokers = processes
  .map(line => /^\s*(\d+)\s+(.*)$/.exec(line))
  .filter(match => match !== null && / kafka\.Kafka( |$)/.test(match[2] ?? ''))
  .map(match => Number(match?.[1]))
  .filter(pid => pid !== process.pid)

if (brokers.length === 0) {
  console.log('No kafka server to stop')
  process.exitCode = 1
}
for (const pid of brokers) {
  try {
    process.kill(pid, `SIG${signal}`)
  } catch (error) {
    console.error(`cannot stop process ${pid}: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

function listProcesses(): string {
  try {
    return execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
  } catch {
    console.error(
      'kafka-server-stop.sh: cannot list processes: install ps (procps), or stop the broker by its process id',
    )
    process.exit(1)
  }
}
