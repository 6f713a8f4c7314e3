/** What can be typed after `monedula`: commands, their options, and what is said of them. */
import { Command, Option } from 'commander'
import { oneLine, oneLineOnFailure } from './failures.ts'
import { FORMAT_FIELDS, moment, nameValue, partitions, place, port, texts, wholeNumber } from './option-values.ts'
import { version } from './version.ts'

/** The whole command line; each command loads its own code only when it runs. */
export function monedulaProgram(): Command {
  const program = new Command('monedula').description("Apache Kafka's job done in TypeScript").version(version)
  addBroker(program)
  addTopic(program.command('topic').description('create, list, describe, alter and delete topics'))
  addProduce(program)
  addConsume(program)
  addGroup(program.command('group').description('list, describe, move and delete consumer groups'))
  for (const command of withCommandsOf(program, 'monedula')) {
    command.one.configureOutput({
      outputError: (text, write) => {
        const what = oneLine(text).replace(/^error: /, '')
        write(`monedula: ${what.replace(/\.$/, '')}; see ${command.path} --help\n`)
      },
    })
  }
  return program
}

/** A command and all below it, each with what is typed to run it. */
export function withCommandsOf(command: Command, path: string): { readonly one: Command; readonly path: string }[] {
  return [
    { one: command, path },
    ...command.commands.flatMap(below => withCommandsOf(below, `${path} ${below.name()}`)),
  ]
}

/** An action whose failure is one line. */
const failing =
  <A extends unknown[]>(action: (...args: A) => Promise<void>) =>
  (...args: A): Promise<void> =>
    oneLineOnFailure(() => action(...args))

const example = (text: string): string => `\nExample:\n  ${text}`

/** Adds the options that say which cluster a command is about. */
function ofCluster(command: Command, kind: 'command' | 'producer' | 'consumer' = 'command'): Command {
  command
    .option('-b, --bootstrap-server <addresses>', 'brokers to begin with; MONEDULA_URL or localhost:9092 when left out')
    .option('--command-config <file>', 'a .properties file with settings of clients, such as for TLS and SASL')
    .option(
      '-X, --set <name=value>',
      "a setting of the client by Java's name, over the file; may be repeated",
      nameValue,
    )
  if (kind === 'command') return command
  // What Kafka's console tools call them.
  command.addOption(new Option(`--${kind}.config <file>`).hideHelp())
  command.on(`option:${kind}.config`, file => command.setOptionValue('commandConfig', file))
  command.addOption(new Option(`--${kind}-property <name=value>`).hideHelp())
  command.on(`option:${kind}-property`, text => {
    command.setOptionValue('set', nameValue(text, command.getOptionValue('set')))
  })
  return command
}

function addBroker(program: Command): void {
  program
    .command('start')
    .description('run a broker')
    .addOption(
      new Option('-c, --config <file>', 'a server.properties file; without it, a broker for development').conflicts([
        'port',
        'data',
      ]),
    )
    .option('-p, --port <port>', 'listen on this port of 127.0.0.1; 0 picks a free one', port, '9092')
    .option('-d, --data <directory>', 'keep records and metadata here', 'monedula-data')
    .option('-o, --override <key=value...>', 'set a configuration key, over what the file says')
    .option('--metrics-port <port>', 'serve Prometheus metrics at this port of 127.0.0.1', port)
    .option('--json', 'log JSON, an object a line')
    .option('-v, --verbose', 'log each request')
    .addHelpText('after', example('monedula start --port 9092 --data ./data'))
    .action(async options => (await import('./start.ts')).start(options))
  program
    .command('demo')
    .description('watch records flow: a broker in memory, a producer and a consumer in one process')
    .option('-n, --count <count>', 'how many records', wholeNumber(1), 10)
    .addHelpText('after', example('monedula demo -n 3'))
    .action(failing(async options => (await import('./demo.ts')).demo(options)))
}

function addTopic(topic: Command): void {
  ofCluster(topic.command('create <name>'))
    .description('create a topic')
    .option('-p, --partitions <count>', "how many partitions; the broker's default when left out", wholeNumber(1))
    .option(
      '-r, --replication-factor <count>',
      "how many replicas of each; the broker's default when left out",
      wholeNumber(1),
    )
    .option('-c, --config <name=value>', 'a setting of the topic; may be repeated', nameValue)
    .option('--if-not-exists', 'a topic that is there already is no failure')
    .addHelpText('after', example('monedula topic create orders --partitions 3 --config retention.ms=86400000'))
    .action(failing(async (name, options) => (await import('./topic.ts')).createTopic(name, options)))
  ofCluster(topic.command('list'))
    .description('print the names of all topics')
    .addHelpText('after', example('monedula topic list -b broker.example:9092'))
    .action(failing(async options => (await import('./topic.ts')).listTopics(options)))
  ofCluster(topic.command('describe <name>'))
    .description('print the partitions of a topic, where they begin and end, and its own settings')
    .option('-a, --all', 'also settings that the topic has from its broker, and defaults')
    .addHelpText('after', example('monedula topic describe orders'))
    .action(failing(async (name, options) => (await import('./topic.ts')).describeTopic(name, options)))
  ofCluster(topic.command('alter <name>'))
    .description('give a topic more partitions, or other settings')
    .option('-p, --partitions <count>', 'how many it shall have, more than it has', wholeNumber(1))
    .option('-c, --config <name=value>', 'a setting of the topic; may be repeated', nameValue)
    .option('--delete-config <name>', 'a setting to take back; may be repeated', texts)
    .addHelpText('after', example('monedula topic alter orders --partitions 6 --delete-config retention.ms'))
    .action(failing(async (name, options) => (await import('./topic.ts')).alterTopic(name, options)))
  ofCluster(topic.command('delete <names...>'))
    .description('delete topics')
    .option('--if-exists', 'a topic that is not there is no failure')
    .addHelpText('after', example('monedula topic delete orders returns'))
    .action(failing(async (names, options) => (await import('./topic.ts')).deleteTopics(names, options)))
}

function addProduce(program: Command): void {
  ofCluster(program.command('produce <topic>'), 'producer')
    .description('publish each line of standard input as a record')
    .option('-k, --key-separator <text>', 'lines have a key, and this between key and value; \\t is a tab')
    .option('--parse-headers', 'lines begin with headers: name:value,name:value, and a tab')
    .option('--null-marker <text>', 'a key, value or header that is this text is null')
    .option(
      '--property <name=value>',
      "how lines are read, by the names of Kafka's console producer: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, null.marker, ignore.error; may be repeated",
      nameValue,
    )
    .addOption(
      new Option('-j, --json', 'each line is an object, as consume --json prints it').conflicts([
        'keySeparator',
        'parseHeaders',
        'nullMarker',
      ]),
    )
    .addOption(
      new Option('-f, --file <paths...>', 'each of these files is the value of a record').conflicts(['lines', 'json']),
    )
    .option('-l, --lines <paths...>', 'read the lines of these files instead of standard input')
    .option('--key <text>', 'the key of every record')
    .option('-H, --header <name=value>', 'a header of every record; may be repeated', nameValue)
    .option(
      '-p, --partition <number>',
      "the partition of every record; the partitioner's choice when left out",
      wholeNumber(0),
    )
    .option(
      '-t, --timestamp <time>',
      'the time of every record: milliseconds since 1970, or a date of ISO 8601',
      moment,
    )
    .addOption(
      new Option('-z, --compression <codec>', 'compress batches').choices(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
    )
    .addOption(
      new Option('-a, --acks <who>', 'who has to have a record: all replicas in sync, the leader, nobody').choices([
        'all',
        '-1',
        '1',
        '0',
      ]),
    )
    .addHelpText('after', example("echo 'alice:3 apples' | monedula produce orders --key-separator :"))
    .action(failing(async (name, options) => (await import('./produce.ts')).produce(name, options)))
}

function addConsume(program: Command): void {
  ofCluster(program.command('consume <topic>'), 'consumer')
    .description('print the records of a topic')
    .option('-f, --follow', 'go on with what comes; without it, end at what is the last record now')
    .option('-g, --group <id>', 'read as a member of a group, from where it stands')
    .option('--from-beginning', 'with --follow: begin with the oldest record instead of the next one')
    .option('-p, --partition <numbers>', 'read only these, with commas between them', partitions)
    .option(
      '-o, --offset <place>',
      'begin at: beginning, end, an offset, -N for N before the end, @time for the first record from then on',
      place,
    )
    .option('-n, --max-messages <count>', 'end after so many records', wholeNumber(1))
    .option('--timeout-ms <ms>', 'end when nothing has come for so long', wholeNumber(1))
    .addOption(
      new Option(
        '-j, --json',
        'print key, value, headers, timestamp, partition and offset, an object a line',
      ).conflicts('format'),
    )
    .option('-F, --format <text>', `print each record so: ${FORMAT_FIELDS}, and \\n for the end of a line`)
    .option('--null-marker <text>', 'how null is shown', 'null')
    .addOption(
      new Option('--isolation-level <level>', 'whether records of open and aborted transactions are shown').choices([
        'read_uncommitted',
        'read_committed',
      ]),
    )
    .addHelpText('after', example("monedula consume orders --follow --format '%p %o %k: %s\\n'"))
    .action(failing(async (name, options) => (await import('./consume.ts')).consume(name, options)))
}

function addGroup(group: Command): void {
  ofCluster(group.command('list'))
    .description('print the groups and their states')
    .addHelpText('after', example('monedula group list'))
    .action(failing(async options => (await import('./group.ts')).listGroups(options)))
  ofCluster(group.command('describe <id>'))
    .description('print what a group has committed, how far behind it is, and who reads what')
    .addHelpText('after', example('monedula group describe billing'))
    .action(failing(async (id, options) => (await import('./group.ts')).describeGroup(id, options)))
  ofCluster(group.command('reset <id>'))
    .description('put a group without members elsewhere')
    .requiredOption('--to <place>', 'beginning, end, an offset, -N for N before the end, @time', place)
    .option('-t, --topic <name>', 'only this topic; may be repeated; all that the group has read when left out', texts)
    .option('--dry-run', 'only print where it would be put')
    .addHelpText('after', example('monedula group reset billing --to @2026-01-31T12:00:00Z'))
    .action(failing(async (id, options) => (await import('./group.ts')).resetGroup(id, options)))
  ofCluster(group.command('delete <ids...>'))
    .description('delete groups without members, and what they have committed')
    .addHelpText('after', example('monedula group delete billing'))
    .action(failing(async (ids, options) => (await import('./group.ts')).deleteGroups(ids, options)))
}
