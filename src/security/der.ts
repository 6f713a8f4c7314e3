/** An element of DER (X.690): what certificates and PKCS #12 stores are written in. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
}

export const DER_SEQUENCE = 0x30

/** The elements that stand one after another in `bytes`. @throws RangeError where one goes beyond its end, or has no length of its own */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at)
    let length = bytes.readUInt8(at + 1)
    at += 2
    if (length > 0x80) {
      const size = length & 0x7f
      length = bytes.readUIntBE(at, size)
      at += size
    } else if (length === 0x80) throw new RangeError('an element without length')
    if (at + length > bytes.length) throw new RangeError('an element goes beyond the end')
    elements.push({ tag, content: bytes.subarray(at, at + length) })
    at += length
  }
  return elements
}

/** The content of an element found by its place at each level: `derContent(bytes, 0, 2)` is that of the third within the first. */
export function derContent(bytes: Buffer, ...places: readonly number[]): Buffer {
  return places.reduce((inside, place) => {
    const element = derElements(inside)[place]
    if (element === undefined) throw new RangeError('an element is missing')
    return element.content
  }, bytes)
}
