import { readFileSync } from 'node:fs'
import { fromRoot } from './broker-process.ts'

/** The tables under one heading of a guide. */
export interface TableNames {
  readonly heading: ReadonlySet<string>
  /** What stands in code in the first column. */
  readonly rows: ReadonlySet<string>
}

/** Names that stand in code in a text, with dots and hyphens where they have some. */
const inCode = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => code.match(/\w+(?:[.-]\w+)*/g) ?? [])

/** Names that a guide has rows for, by the heading above. */
export function tableNames(page: string): TableNames[] {
  const sections = readFileSync(fromRoot(`docs/guides/${page}.md`), 'utf8').split(/^###? /m)
  return sections.map(section => {
    const [heading = '', ...lines] = section.split('\n')
    const cells = lines.filter(line => line.startsWith('| ')).map(line => line.split(' | ')[0] ?? '')
    return { heading: new Set(inCode(heading)), rows: new Set(cells.flatMap(inCode)) }
  })
}

/** Members of a type in the text of a declaration file, each once. */
function membersOf(declarations: string, type: string): string[] {
  const start = `^(?:export )?(?:abstract )?(?:type|interface|class) ${type}\\b[^{]*\\{\\n`
  const [, body = ''] = new RegExp(`${start}(.*?)^\\}`, 'ms').exec(declarations) ?? []
  const [indent = ''] = /^ +/.exec(body) ?? []
  const members = body.matchAll(new RegExp(`^${indent}(?:static |readonly )?(\\w+)\\??[(:<]`, 'gm'))
  return [...new Set(Array.from(members, ([, name = '']) => name))].filter(name => name !== 'constructor')
}

/** Which of `types` have members without a row under a heading that names the type; a type without any is missing itself. */
export function membersWithoutRow(
  tables: readonly TableNames[],
  declarations: string,
  types: readonly string[],
): string[] {
  return types.flatMap(type => {
    const members = membersOf(declarations, type)
    const ofType = tables.filter(({ heading }) => heading.has(type))
    if (members.length === 0) return [type]
    return members.filter(name => !ofType.some(({ rows }) => rows.has(name))).map(name => `${type}.${name}`)
  })
}
