/** Longest line that is kept in memory before its end has come. */
const MAX_LINE_BYTES = 64 * 1024 * 1024
export const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/**
 * Takes bytes apart into lines, as they are: an end is `\n` or `\r\n`, and what follows the last one is a line too, unless `isWhole` says
 * at the end that the chunks were cut off. Gives what each chunk has completed.
 * @throws Error for a line that does not end
 */
export async function* inputLines(
  chunks: AsyncIterable<Uint8Array>,
  isWhole: () => boolean = () => true,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  let begun: Buffer[] = []
  let begunBytes = 0
  for await (const chunk of chunks) {
    const lines: Buffer[] = []
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      const line = begun.length === 0 ? rest.subarray(0, end) : Buffer.concat([...begun, rest.subarray(0, end)])
      lines.push(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line)
      begun = []
      begunBytes = 0
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) begun.push(rest)
    begunBytes += rest.length
    if (begunBytes > MAX_LINE_BYTES) throw new Error(`a line has more than ${MAX_LINE_BYTES} bytes: is this text?`)
    if (lines.length > 0) yield lines
  }
  if (begunBytes > 0 && isWhole()) yield [Buffer.concat(begun)]
}
