import { readFileSync } from 'node:fs'
import { fromRoot } from './broker-process.ts'

/** What stands between two fences of a guide. */
export interface Block {
  /** What is written behind the first fence: `ts`, `ts no-run`, `js`, `text`. */
  readonly language: string
  readonly code: string
  /** The `##` section that it stands in; 0 before the first. */
  readonly section: number
}

/** The blocks of docs/guides/`page`.md, in order. */
export function blocksOf(page: string): Block[] {
  const sections = readFileSync(fromRoot(`docs/guides/${page}.md`), 'utf8').split(/^## /m)
  return sections.flatMap((text, section) =>
    Array.from(text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms), ([, language = '', code = '']) => ({
      language,
      code,
      section,
    })),
  )
}
