import type { Random } from '../platform/index.ts'
import type { SecurityConfig } from './tls-options.ts'

/** When a token that is had now, and ends then, is to be followed by another; all milliseconds since 1970. */
export type RefreshMoment = (nowMs: number, expiresAtMs: number) => number

/**
 * What `sasl.login.refresh.*` says: after a share of the token's life, but no sooner than the shortest period and no later than the buffer
 * before its end. Where a token does not last for both, the share alone counts (as Java's ExpiringCredentialRefreshingLogin).
 */
export function refreshMoment(config: SecurityConfig, random: Random): RefreshMoment {
  const factor = config.get('sasl.login.refresh.window.factor')
  const jitter = config.get('sasl.login.refresh.window.jitter')
  const minPeriodMs = config.get('sasl.login.refresh.min.period.seconds') * 1_000
  const bufferMs = config.get('sasl.login.refresh.buffer.seconds') * 1_000
  return (nowMs, expiresAtMs) => {
    const atMs = nowMs + (expiresAtMs - nowMs) * (factor + jitter * random.next())
    if (nowMs + minPeriodMs + bufferMs > expiresAtMs) return atMs
    return Math.max(nowMs + minPeriodMs, Math.min(atMs, expiresAtMs - bufferMs))
  }
}
