import { type ClusterDelta, ClusterImage, type ImageBuilder, type TopicImage } from './cluster-image.ts'

/** Learns of every change, in order. It must not throw and must not publish. */
export type MetadataPublisher = (image: ClusterImage, delta: ClusterDelta) => void

/** What is about to be published. */
export interface ComingChange {
  /** Topics that are new or have grown. */
  readonly coming?: readonly TopicImage[]
  /** Topics that are deleted. */
  readonly going?: readonly TopicImage[]
  /** Names of topics of which nothing shall be left: their deletion was cut off, and the image may know them no more. */
  readonly cutOff?: readonly string[]
}

/**
 * Gets ready for a change that is about to be published; resolves to the names of topics that go and of which something has to
 * stay for now. It must not reject.
 */
export type MetadataPreparer = (change: ComingChange) => Promise<readonly string[]>

/** The image that this broker goes by, and those who act on its changes. */
export class MetadataCache {
  #image = ClusterImage.empty()
  /** What is prepared for. */
  #coming: ClusterImage | undefined
  readonly #publishers = new Set<MetadataPublisher>()
  readonly #preparers = new Set<MetadataPreparer>()

  /** The newest image. */
  image(): ClusterImage {
    return this.#image
  }

  /**
   * Calls `publisher` at once with all there is, as if it had just come to be, and then at every change; returns what
   * takes it back.
   */
  subscribe(publisher: MetadataPublisher): () => void {
    this.#publishers.add(publisher)
    publisher(this.#image, this.#image.asDelta())
    return () => this.#publishers.delete(publisher)
  }

  /** Has `preparer` called by {@link publishPrepared}. */
  onPrepare(preparer: MetadataPreparer): void {
    this.#preparers.add(preparer)
  }

  /** Settings of a topic that is there, or about to be. */
  topicSettings(topic: string): ReadonlyMap<string, string> {
    return (this.#coming ?? this.#image).config('topics', topic)
  }

  /**
   * Publishes topics, or that they are gone, when others have done ahead, and in turns, what would hold the event loop for
   * too long inside {@link publish}: making or deleting the logs of thousands of partitions. Nothing else may be published
   * meanwhile. Resolves to the names of topics that are gone and of which something is left where nobody can get at it now.
   */
  async publishPrepared(ahead: ComingChange, change: (builder: ImageBuilder) => ImageBuilder): Promise<Set<string>> {
    this.#coming = change(this.#image.change()).build().image
    const left = new Set<string>()
    try {
      for (const prepare of this.#preparers) for (const name of await prepare(ahead)) left.add(name)
    } finally {
      this.#coming = undefined
    }
    this.publish(change)
    return left
  }

  /** Makes the next image the current one and tells everybody, in the order they subscribed. */
  publish(change: (builder: ImageBuilder) => ImageBuilder): ClusterImage {
    const { image, delta } = change(this.#image.change()).build()
    this.#image = image
    for (const publisher of this.#publishers) publisher(image, delta)
    return image
  }
}
