/** A real Apache ZooKeeper in a process of its own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { startJava } from './java.ts'
import { freePort } from './metadata-probe.ts'
import { PATIENCE_MS, type RunningProgram, sleep } from './process.ts'

/** A running ZooKeeper server of one. */
export class ZooKeeperProcess {
  readonly port: number
  readonly #program: RunningProgram

  private constructor(port: number, program: RunningProgram) {
    this.port = port
    this.#program = program
  }

  /** Starts a server that keeps its data below `directory` and waits until it serves. */
  static async start(directory: string): Promise<ZooKeeperProcess> {
    const port = await freePort()
    mkdirSync(join(directory, 'zookeeper'), { recursive: true })
    const file = join(directory, 'zookeeper.cfg')
    const settings = [
      `dataDir=${join(directory, 'zookeeper')}`,
      `clientPort=${port}`,
      'clientPortAddress=127.0.0.1',
      'tickTime=500',
      'maxSessionTimeout=60000',
      'maxClientCnxns=0',
      'admin.enableServer=false',
      '4lw.commands.whitelist=*',
    ]
    writeFileSync(file, `${settings.join('\n')}\n`)
    const flags = ['-XX:+UseSerialGC', '-Xmx256m']
    const program = await startJava('org.apache.zookeeper.server.quorum.QuorumPeerMain', [file], { flags })
    const server = new ZooKeeperProcess(port, program)
    const deadline = Date.now() + PATIENCE_MS
    while (!(await server.#healthy())) {
      if (!program.running) throw new Error(`ZooKeeper ended: ${program.stderr}`)
      if (Date.now() > deadline) throw new Error('ZooKeeper does not answer')
      await sleep(50)
    }
    return server
  }

  get pid(): number {
    return this.#program.pid
  }

  async stop(): Promise<void> {
    this.#program.kill('SIGKILL')
    await this.#program.ended()
  }

  /** Asks the four-letter word `ruok`. */
  #healthy(): Promise<boolean> {
    return new Promise(resolve => {
      const socket = connect({ port: this.port, host: '127.0.0.1' }, () => socket.end('ruok'))
      let answer = ''
      socket.setTimeout(10_000, () => socket.destroy())
      socket.setEncoding('utf8').on('data', text => {
        answer += text
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(answer === 'imok'))
    })
  }
}
