import type { Validator } from './validators.ts'

/** Every metadata version that Kafka 3.9 knows, oldest first, as `inter.broker.protocol.version` names them. */
export const METADATA_VERSIONS: readonly string[] = [
  ...['0.8.0', '0.8.1', '0.8.2', '0.9.0'],
  ...['0.10.0-IV0', '0.10.0-IV1', '0.10.1-IV0', '0.10.1-IV1', '0.10.1-IV2', '0.10.2-IV0'],
  ...['0.11.0-IV0', '0.11.0-IV1', '0.11.0-IV2', '1.0-IV0', '1.1-IV0', '2.0-IV0', '2.0-IV1'],
  ...['2.1-IV0', '2.1-IV1', '2.1-IV2', '2.2-IV0', '2.2-IV1', '2.3-IV0', '2.3-IV1', '2.4-IV0', '2.4-IV1', '2.5-IV0'],
  ...['2.6-IV0', '2.7-IV0', '2.7-IV1', '2.7-IV2', '2.8-IV0', '2.8-IV1', '3.0-IV0', '3.0-IV1', '3.1-IV0', '3.2-IV0'],
  ...['3.3-IV0', '3.3-IV1', '3.3-IV2', '3.3-IV3', '3.4-IV0', '3.5-IV0', '3.5-IV1', '3.5-IV2'],
  ...['3.6-IV0', '3.6-IV1', '3.6-IV2', '3.7-IV0', '3.7-IV1', '3.7-IV2', '3.7-IV3', '3.7-IV4'],
  ...['3.8-IV0', '3.9-IV0', '4.0-IV0', '4.0-IV1'],
]

/**
 * The metadata version that `written` names: in full (`2.8-IV1`), by its release (`2.8`, which is its last one), or by a
 * bug-fix release (`2.8.2`); undefined when there is none.
 */
export function metadataVersion(written: string): string | undefined {
  const parts = written.split('.')
  const name = parts.slice(0, parts[0] === '0' ? 3 : 2).join('.')
  return METADATA_VERSIONS.includes(name)
    ? name
    : METADATA_VERSIONS.findLast(version => version.startsWith(`${name}-IV`))
}

/** Whether version `a` is `b` or a later one. Both are full names. */
export function isMetadataVersionAtLeast(a: string, b: string): boolean {
  return METADATA_VERSIONS.indexOf(a) >= METADATA_VERSIONS.indexOf(b)
}

/** Names of metadata versions. */
export const validMetadataVersion: Validator = {
  check: value =>
    typeof value === 'string' && metadataVersion(value) === undefined
      ? `Version ${value} is not a valid version`
      : undefined,
  toString: () => `[${METADATA_VERSIONS.join(', ')}]`,
}
