/**
 * Writes the reference pages in docs/reference/ from the tables that the code itself runs on: `npm run docs`. A golden
 * test fails when a committed page differs from what this would write.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiPage } from './reference/api-page.ts'
import { commandLinePage } from './reference/command-line-page.ts'
import { brokerConfigPage, topicConfigPage } from './reference/config-pages.ts'
import { errorPage } from './reference/error-page.ts'
import { metricPage } from './reference/metric-page.ts'

/** The pages: text by path from the root of the repository. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/apis.md', apiPage()],
    ['docs/reference/broker-configs.md', brokerConfigPage()],
    ['docs/reference/command-line.md', commandLinePage()],
    ['docs/reference/errors.md', errorPage()],
    ['docs/reference/metrics.md', metricPage()],
    ['docs/reference/topic-configs.md', topicConfigPage()],
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of referencePages()) {
    const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.log(path)
  }
}
