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

const BOOTSTRAP = ['-b, --bootstrap-server <addresses>', 'brokers to begin with', 'localhost:9092'] as const

const topic = program.command('topic').description('create, list, describe and delete topics')
topic
  .command('create <name>')
  .description('create a topic')
  .option(...BOOTSTRAP)
  .option('-p, --partitions <count>', "how many partitions; the broker's default when left out")
  .option('-r, --replication-factor <count>', "how many replicas of each; the broker's default when left out")
  .option('-c, --config <name=value...>', 'settings of the topic', [])
  .action((name, options) => oneLineOnFailure(async () => (await import('./topic.ts')).createTopic(name, options)))
topic
  .command('list')
  .description('print the names of all topics')
  .option(...BOOTSTRAP)
  .action(options => oneLineOnFailure(async () => (await import('./topic.ts')).listTopics(options)))
topic
  .command('describe <name>')
  .description('print the partitions of a topic, and where they begin and end')
  .option(...BOOTSTRAP)
  .action((name, options) => oneLineOnFailure(async () => (await import('./topic.ts')).describeTopic(name, options)))
topic
  .command('delete <names...>')
  .description('delete topics')
  .option(...BOOTSTRAP)
  .action((names, options) => oneLineOnFailure(async () => (await import('./topic.ts')).deleteTopics(names, options)))

program
  .command('produce <topic>')
  .description('publish each line of standard input as a record')
  .option(...BOOTSTRAP)
  .option('-k, --key-separator <text>', 'what stands between key and value in a line')
  .option('-H, --header <name=value...>', 'headers of every record', [])
  .action((name, options) => oneLineOnFailure(async () => (await import('./produce.ts')).produce(name, options)))

program
  .command('consume <topic>')
  .description('print the records of a topic')
  .option(...BOOTSTRAP)
  .option('-f, --follow', 'go on with what comes; without it, end at the last record')
  .option('-g, --group <id>', 'read as a member of a group, from where it stands')
  .option('--from-beginning', 'with --follow: begin with the oldest record instead of the next one')
  .option('-j, --json', 'print key, value, headers, timestamp, partition and offset, an object a line')
  .option('-n, --max <count>', 'end after so many records')
  .action((name, options) => oneLineOnFailure(async () => (await import('./consume.ts')).consume(name, options)))

const group = program.command('group').description('list and describe consumer groups')
group
  .command('list')
  .description('print the groups and their states')
  .option(...BOOTSTRAP)
  .action(options => oneLineOnFailure(async () => (await import('./group.ts')).listGroups(options)))
group
  .command('describe <id>')
  .description('print what a group has committed, and how far behind it is')
  .option(...BOOTSTRAP)
  .action((id, options) => oneLineOnFailure(async () => (await import('./group.ts')).describeGroup(id, options)))

program
  .command('demo')
  .description('watch records flow: a broker in memory, a producer and a consumer in one process')
  .option('-n, --count <count>', 'how many records', '10')
  .action(options => oneLineOnFailure(async () => (await import('./demo.ts')).demo(options)))

await program.parseAsync()
