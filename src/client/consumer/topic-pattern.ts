import { type Config, ConfigError } from '../../config/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import type { TopicInfo } from '../cluster-metadata.ts'
import type { consumerKeys } from './consumer-config.ts'

/** A pattern in RE2's syntax that the broker follows, for groups of the consumer protocol: the consumer asks for no list of topics. */
export class SubscriptionPattern {
  readonly pattern: string

  constructor(pattern: string) {
    this.pattern = pattern
  }

  toString(): string {
    return this.pattern
  }
}

/** What a consumer can subscribe to. */
export type Subscription = readonly string[] | RegExp | SubscriptionPattern

/**
 * That a consumer of these settings can subscribe to this.
 * @throws ConfigError without `group.id`
 * @throws KafkaError INVALID_REQUEST for what is no subscription, where no compiler looks, and for a pattern that no broker follows
 */
export function checkSubscription(topics: string | Subscription, config: Config<typeof consumerKeys>): void {
  if (config.get('group.id') === null) {
    const what = 'a subscription is shared by a group: set group.id, or use assign()'
    throw new ConfigError(what, { key: 'group.id', value: '' })
  }
  if (topics instanceof SubscriptionPattern && config.get('group.protocol') === 'classic') {
    throw new KafkaError('INVALID_REQUEST', 'only group.protocol=consumer has patterns for brokers: give a RegExp')
  }
  if (topics instanceof RegExp || topics instanceof SubscriptionPattern) return
  const names: readonly unknown[] = Array.isArray(topics) ? topics : [topics]
  if (names.every(name => typeof name === 'string')) return
  const message =
    'subscribe() takes the name of a topic, a list of names, or a RegExp; where to begin says auto.offset.reset'
  throw new KafkaError('INVALID_REQUEST', message)
}

/**
 * Names of the topics that a subscription means now; none where the broker finds them.
 * @throws KafkaError TOPIC_AUTHORIZATION_FAILED, INVALID_TOPIC_EXCEPTION for a topic that was named
 */
export async function subscribedTopics(
  cluster: Cluster,
  subscription: Subscription,
  options: { readonly excludeInternal: boolean },
): Promise<readonly string[]> {
  if (subscription instanceof SubscriptionPattern) return []
  if (subscription instanceof RegExp) {
    return topicsMatching(subscription, (await cluster.refresh(null)).topics, options)
  }
  const metadata = await cluster.refresh(subscription)
  for (const topic of subscription) {
    const refusal = metadata.refusalOf(topic)
    if (refusal !== undefined) throw refusal
  }
  return subscription
}

/** Names of the topics whose whole name a pattern matches. */
export function topicsMatching(
  pattern: RegExp,
  topics: Iterable<TopicInfo>,
  { excludeInternal }: { readonly excludeInternal: boolean },
): string[] {
  // Flags that make a pattern remember where it was have no meaning for one name after the other.
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''))
  return Array.from(topics)
    .filter(({ name, isInternal }) => whole.test(name) && !(isInternal && excludeInternal))
    .map(({ name }) => name)
}
