import type { Validator } from '../../config/index.ts'
import { Timestamp } from './offset-requests.ts'

const NAMED: ReadonlySet<string> = new Set(['earliest', 'latest', 'none'])
const BY_DURATION = 'by_duration:'
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i

/** What `auto.offset.reset` can be: `earliest`, `latest`, `none`, or `by_duration:` and a duration of ISO 8601 (KIP-1106). */
export const offsetReset: Validator = {
  toString: () => '[latest, earliest, none, by_duration:PnDTnHnMn.nS]',
  check: value => {
    if (typeof value === 'string' && (NAMED.has(value) || durationMs(value) !== undefined)) return undefined
    return 'must be earliest, latest, none, or by_duration: with a duration such as by_duration:PT1H'
  },
}

/** The timestamp to look for where nothing is committed, by `auto.offset.reset`; undefined for `none`. */
export function resetTimestamp(policy: string, nowMs: number): number | undefined {
  if (policy === 'none') return undefined
  if (policy === 'earliest') return Timestamp.earliest
  const agoMs = durationMs(policy)
  return agoMs === undefined ? Timestamp.latest : Math.max(0, nowMs - agoMs)
}

function durationMs(policy: string): number | undefined {
  if (!policy.startsWith(BY_DURATION)) return undefined
  const text = policy.slice(BY_DURATION.length)
  const [, days, hours, minutes, seconds] = DURATION.exec(text) ?? []
  const parts = [days, hours, minutes, seconds]
  // `P` and `P1DT` are none: a part has to follow each letter that begins some.
  if (parts.every(part => part === undefined) || /t$/i.test(text)) return undefined
  const [d, h, m, s] = parts.map(part => Number(part ?? 0)) as [number, number, number, number]
  return Math.floor((((d * 24 + h) * 60 + m) * 60 + s) * 1_000)
}
