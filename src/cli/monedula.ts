/** The `monedula` command. */
import { Command } from 'commander'
import { version } from './version.ts'

const program = new Command('monedula')
  .description("Apache Kafka's job done in TypeScript")
  .version(version)
  .showHelpAfterError()

program
  .command('start')
  .description('run a broker')
  .option('-c, --config <file>', 'a server.properties file; without it, a broker for development')
  .option('-p, --port <port>', 'listen on this port of 127.0.0.1; 0 picks a free one', '9092')
  .option('-d, --data <directory>', 'keep records and metadata here', 'monedula-data')
  .option('-o, --override <key=value...>', 'set a configuration key, over what the file says', [])
  .option('--metrics-port <port>', 'serve Prometheus metrics at this port of 127.0.0.1')
  .option('--json', 'log JSON, an object a line')
  .option('-v, --verbose', 'log each request')
  .action(async options => {
    const { start } = await import('./start.ts')
    await start(options)
  })

await program.parseAsync()
