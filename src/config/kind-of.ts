/** What a value is, for whoever is told that it is of a wrong kind; never the value, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return value instanceof Map ? 'Map' : typeof value
}
