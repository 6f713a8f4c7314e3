import { kafkaConfig } from './broker-keys.ts'

/** Keys that are given by listener and SASL mechanism: `listener.name.<listener>.<mechanism>.<key>`. */
const MECHANISM_KEYS: readonly string[] = [
  'sasl.jaas.config',
  'sasl.login.callback.handler.class',
  'sasl.login.class',
  'sasl.server.callback.handler.class',
  'connections.max.reauth.ms',
]

/**
 * The key that `listener.name.<listener>.[<mechanism>.]<key>` overrides for one listener; undefined when `name` is not
 * of that form or ends in no known key.
 */
export function listenerBaseKey(name: string): string | undefined {
  const rest = listenerKeyRest(name)
  if (rest === undefined) return undefined
  const base = MECHANISM_KEYS.find(key => rest.endsWith(key)) ?? rest
  return kafkaConfig.key(base) ? base : undefined
}

/** What follows `listener.name.<listener>.`, or undefined when `name` does not begin so. */
export function listenerKeyRest(name: string): string | undefined {
  return /^listener\.name\.[^.]*\.(.*)$/.exec(name)?.[1]
}

/** As Kafka names the base of a listener's key among its synonyms: a mechanism's key, or all that follows the listener. */
export function listenerSynonym(name: string): string | undefined {
  const rest = listenerKeyRest(name)
  return rest === undefined ? undefined : (MECHANISM_KEYS.find(key => rest.endsWith(key)) ?? rest)
}
