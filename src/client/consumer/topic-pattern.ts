import type { TopicInfo } from '../cluster-metadata.ts'

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
