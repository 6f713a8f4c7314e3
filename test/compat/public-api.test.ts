/** Nothing that users build on changes unseen, and all of it has a page. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiReport, entryPoints, referencePages, reportPath } from './public-api.ts'
import { toolOrSkip } from './tools.ts'

for (const name of Object.keys(entryPoints)) {
  test(`what ${name} exports is what docs/reference says: npm run docs:api after a change`, async context => {
    const report = await toolOrSkip(context, 'API Extractor', () => apiReport(name))
    if (report !== undefined) assert.equal(report, readFileSync(reportPath(name), 'utf8'))
  })
}

test('pages about all that is exported can be made, and nothing in them is without a page', async context => {
  const directory = mkdtempSync(join(tmpdir(), 'monedula-api-'))
  try {
    const said = await toolOrSkip(context, 'TypeDoc', () => referencePages(directory))
    if (said === undefined) return
    assert.doesNotMatch(said, /\[(error|warning)\]/)
    for (const name of ['Producer', 'Consumer', 'Admin'])
      assert.ok(existsSync(join(directory, `classes/client.${name}.html`)), name)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
