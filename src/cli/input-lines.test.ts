import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { inputLines } from './input-lines.ts'

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks
}

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = []
  for await (const some of inputLines(each(chunks))) lines.push(...some.map(line => line.toString('latin1')))
  return lines
}

test('lines are the same however the input is cut', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ü', '\n', '\r', '\u2028'), maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 5 }), async (input, cuts) => {
      const bytes = Buffer.from(input)
      const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
      const whole = bytes.toString('latin1').split('\n')
      if (whole.at(-1) === '') whole.pop()
      const last = whole.length - 1
      const isEnded = input.endsWith('\n')
      const expected = whole.map((line, index) => (index < last || isEnded ? line.replace(/\r$/, '') : line))
      assert.deepEqual(await linesOf(chunks), expected)
    }),
  )
})

test('a line that does not end is refused before it fills the memory', async () => {
  const chunk = Buffer.alloc(16 * 1024 * 1024, 'x')
  await assert.rejects(
    linesOf(Array.from({ length: 5 }, () => chunk)),
    /a line has more than 67108864 bytes: is this text\?/,
  )
})
