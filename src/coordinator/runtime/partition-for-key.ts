/** `String.hashCode` of Java: over UTF-16 units, as a signed 32-bit number. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/**
 * The partition of a coordinator's topic that holds `key`: every broker and tool must agree on it. Kafka's
 * `Utils.abs(key.hashCode) % partitions`, whose `abs` of the least int32 is 0.
 */
export function partitionForKey(key: string, partitions: number): number {
  const hash = javaHashCode(key)
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitions
}
