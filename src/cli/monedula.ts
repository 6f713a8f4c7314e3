/** The `monedula` command. */
import { Command } from 'commander'
import { oneLineOnFailure } from './failures.ts'
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

/** Adds the options that say which cluster a command is about. */
const ofCluster = (command: Command, ...otherNames: readonly string[]): Command => {
  command
    .option('-b, --bootstrap-server <addresses>', 'brokers to begin with; MONEDULA_URL or localhost:9092 when left out')
    .option('--command-config <file>', 'a .properties file with settings of clients, such as for TLS and SASL')
  for (const name of otherNames) {
    command.addOption(command.createOption(`--${name} <file>`, 'the same').hideHelp())
    command.on(`option:${name}`, file => command.setOptionValue('commandConfig', file))
  }
  return command
}

const topic = program.command('topic').description('create, list, describe and delete topics')
ofCluster(topic.command('create <name>'))
  .description('create a topic')
  .option('-p, --partitions <count>', "how many partitions; the broker's default when left out")
  .option('-r, --replication-factor <count>', "how many replicas of each; the broker's default when left out")
  .option('-c, --config <name=value...>', 'settings of the topic', [])
  .action((name, options) => oneLineOnFailure(async () => (await import('./topic.ts')).createTopic(name, options)))
ofCluster(topic.command('list'))
  .description('print the names of all topics')
  .action(options => oneLineOnFailure(async () => (await import('./topic.ts')).listTopics(options)))
ofCluster(topic.command('describe <name>'))
  .description('print the partitions of a topic, and where they begin and end')
  .action((name, options) => oneLineOnFailure(async () => (await import('./topic.ts')).describeTopic(name, options)))
ofCluster(topic.command('delete <names...>'))
  .description('delete topics')
  .action((names, options) => oneLineOnFailure(async () => (await import('./topic.ts')).deleteTopics(names, options)))

ofCluster(program.command('produce <topic>'), 'producer.config')
  .description('publish each line of standard input as a record')
  .option('-k, --key-separator <text>', 'what stands between key and value in a line')
  .option('-H, --header <name=value...>', 'headers of every record', [])
  .action((name, options) => oneLineOnFailure(async () => (await import('./produce.ts')).produce(name, options)))

ofCluster(program.command('consume <topic>'), 'consumer.config')
  .description('print the records of a topic')
  .option('-f, --follow', 'go on with what comes; without it, end at the last record')
  .option('-g, --group <id>', 'read as a member of a group, from where it stands')
  .option('--from-beginning', 'with --follow: begin with the oldest record instead of the next one')
  .option('-j, --json', 'print key, value, headers, timestamp, partition and offset, an object a line')
  .option('-n, --max <count>', 'end after so many records')
  .action((name, options) => oneLineOnFailure(async () => (await import('./consume.ts')).consume(name, options)))

const group = program.command('group').description('list and describe consumer groups')
ofCluster(group.command('list'))
  .description('print the groups and their states')
  .action(options => oneLineOnFailure(async () => (await import('./group.ts')).listGroups(options)))
ofCluster(group.command('describe <id>'))
  .description('print what a group has committed, and how far behind it is')
  .action((id, options) => oneLineOnFailure(async () => (await import('./group.ts')).describeGroup(id, options)))

program
  .command('demo')
  .description('watch records flow: a broker in memory, a producer and a consumer in one process')
  .option('-n, --count <count>', 'how many records', '10')
  .action(options => oneLineOnFailure(async () => (await import('./demo.ts')).demo(options)))

await program.parseAsync()
