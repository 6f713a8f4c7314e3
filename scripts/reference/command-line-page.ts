/** The page of the command line. */
import { monedulaProgram, withCommandsOf } from '../../src/cli/index.ts'
import { code, page, table } from './markdown.ts'

type MonedulaCommand = ReturnType<typeof withCommandsOf>[number]

/** Options of every command that talks to a cluster; said once. */
const OF_CLUSTER = ['--bootstrap-server', '--command-config', '--set']

/** Every command with its options and its example. */
export function commandLinePage(): string {
  const commands = withCommandsOf(monedulaProgram(), 'monedula').filter(({ one }) => one.commands.length === 0)
  const topicList = commands.find(({ path }) => path === 'monedula topic list')!.one
  return page('Command line', [
    'For any Kafka that clients can reach. All commands but `start` and `demo` are told which one, and how to get in (TLS, SASL), by',
    optionTable(topicList, long => OF_CLUSTER.includes(long)),
    table(['Exit code', 'Meaning'], EXIT_CODES),
    RECORDS,
    ...commands.map(section),
  ])
}

const EXIT_CODES = [
  [
    '0',
    'Done; also where a signal ended `produce`, `consume` or `demo`, or the reader of the output had enough (`\\| head -1`).',
  ],
  [
    '1',
    'Not done: one line on standard error says what was wrong. Where nobody listens a warning says so at once, and the command ends after about two seconds; a broker that is slow is waited for about ten. `consume --follow` waits for its broker. `-X bootstrap.timeout.ms=60000` lets any command wait longer for one that is yet to come.',
  ],
  [
    '130, 143',
    '`start` was ended by SIGINT or SIGTERM, after a clean stop; or `produce` from files, of which a part is published then.',
  ],
]

const RECORDS = `Records as JSON, one a line: \`consume --json\` prints them and \`produce --json\` takes them, so that one can be piped into the other.

\`\`\`
{"topic":"orders","partition":0,"offset":0,"timestamp":1767225600000,"key":"alice","value":"3 apples","headers":[["from","till"]]}
\`\`\`

Bytes that are no text (UTF-8) are \`{"base64":"AP8="}\`. Going in, all fields may be left out, and topic and offset are left alone.`

function section({ one, path }: MonedulaCommand): string {
  const words = one.registeredArguments.map(argument => ` <${argument.name()}${argument.variadic ? '...' : ''}>`)
  const summary = sentence(one.description())
  const synopsis = `\`\`\`\n${path}${words.join('')} [options]\n\`\`\``
  const options = optionTable(one, long => !OF_CLUSTER.includes(long))
  return [`## ${path}`, summary, synopsis, options, `For example:\n\n\`\`\`\n${exampleOf(one)}\n\`\`\``]
    .filter(block => block !== '')
    .join('\n\n')
}

/** The options of a command whose long names are wanted; empty where there are none. */
function optionTable(command: MonedulaCommand['one'], isWanted: (long: string) => boolean): string {
  const help = command.createHelp()
  const rows = help
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help' && isWanted(long ?? ''))
    .map(option => [code(option.flags), help.optionDescription(option).replaceAll('|', '\\|')])
  return rows.length === 0 ? '' : table(['Option', 'Meaning'], rows)
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** What a command's help shows behind its options. */
function exampleOf(command: MonedulaCommand['one']): string {
  let shown = ''
  command.configureOutput({ writeOut: text => (shown += text) }).outputHelp()
  return shown.slice(shown.indexOf('\nExample:\n') + '\nExample:\n'.length).trim()
}
