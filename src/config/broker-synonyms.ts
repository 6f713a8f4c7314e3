import { listenerSynonym } from './listener-keys.ts'

/** Keys that set the same thing in different units, the one that counts first; `ofFirstOnly` sets are asked for by their first key alone. */
const FAMILIES: readonly { readonly keys: readonly string[]; readonly ofFirstOnly?: true }[] = [
  { keys: ['log.roll.ms', 'log.roll.hours'] },
  { keys: ['log.roll.jitter.ms', 'log.roll.jitter.hours'] },
  { keys: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'], ofFirstOnly: true },
  { keys: ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'] },
]

/**
 * The keys that may give the value of broker key `name`, the one that counts first, `name` among them: the other
 * units, or for `listener.name.<listener>.<key>` the key itself (DynamicBrokerConfig.brokerConfigSynonyms).
 */
export function brokerSynonyms(name: string): readonly string[] {
  const base = listenerSynonym(name)
  return base === undefined ? unitSynonyms(name) : [name, base]
}

/** As {@link brokerSynonyms}, without the base keys of listeners' keys. */
export function unitSynonyms(name: string): readonly string[] {
  const family = FAMILIES.find(({ keys, ofFirstOnly }) => (ofFirstOnly ? keys[0] === name : keys.includes(name)))
  return family?.keys ?? [name]
}
