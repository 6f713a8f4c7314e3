import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { referencePages } from '../../scripts/docs.ts'

for (const [path, text] of referencePages()) {
  test(`${path} says what the code does: otherwise run npm run docs`, () => {
    assert.equal(readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8'), text)
  })
}
