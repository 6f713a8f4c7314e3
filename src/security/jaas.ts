import { ConfigError } from '../config/index.ts'

/** What `sasl.jaas.config` says: a login module of Java and its options. */
export interface JaasEntry {
  /** Class name, whose last part tells the mechanism: `ScramLoginModule`. */
  readonly module: string
  readonly options: ReadonlyMap<string, string>
}

const KEY = 'sasl.jaas.config'
const FLAGS = ['required', 'requisite', 'sufficient', 'optional']
const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([=;])|([^\s=;"']+))/y

/**
 * Reads one entry of JAAS, as Kafka's JaasConfig does: `Module flag key="value" ... ;`.
 * @throws ConfigError that says what is missing, and shows none of it: there are passwords in it
 */
export function parseJaas(text: string): JaasEntry {
  const tokens = tokensOf(text.trim())
  const [module, flag] = tokens.splice(0, 2)
  if (!isWord(module) || !isWord(flag) || !FLAGS.includes(flag.text.toLowerCase())) {
    throw broken(`it begins with a login module and ${FLAGS.join(', ')}`)
  }
  const options = new Map<string, string>()
  while (tokens[0]?.isMark === false) {
    const [key, equals, value] = tokens.splice(0, 3)
    if (equals?.text !== '=' || !equals.isMark || !isWord(value)) {
      throw broken(`option ${key?.text} has no ="value"`)
    }
    options.set(key!.text, value.text)
  }
  if (tokens[0]?.text !== ';') throw broken('it ends with ;')
  if (tokens.length > 1) throw broken('it has one login module only')
  return { module: module.text, options }
}

interface Token {
  readonly text: string
  /** `=` or `;` outside quotation marks. */
  readonly isMark: boolean
}

const isWord = (token: Token | undefined): token is Token => token?.isMark === false

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) throw broken('a quotation mark is not closed')
    const [, double, single, mark, word] = match
    const quoted = (double ?? single)?.replaceAll(/\\(.)/gs, '$1')
    tokens.push({ text: quoted ?? mark ?? word ?? '', isMark: mark !== undefined })
  }
  return tokens
}

const broken = (reason: string): ConfigError => new ConfigError(reason, { key: KEY, value: '[hidden]' })
