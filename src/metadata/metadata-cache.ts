import { type ClusterDelta, ClusterImage, type ImageBuilder, type TopicImage } from './cluster-image.ts'

/** Learns of every change, in order. It must not throw and must not publish. */
export type MetadataPublisher = (image: ClusterImage, delta: ClusterDelta) => void

/** Gets ready for topics that are about to be published. It must not reject. */
export type MetadataPreparer = (topics: readonly TopicImage[]) => Promise<void>

/** The image that this broker goes by, and those who act on its changes. */
export class MetadataCache {
  #image = ClusterImage.empty()
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

  /** Has `preparer` called by {@link prepare}. */
  onPrepare(preparer: MetadataPreparer): void {
    this.#preparers.add(preparer)
  }

  /**
   * Lets others do ahead, and in turns, what would hold the event loop for too long inside {@link publish}: making the
   * logs of thousands of partitions. The topics, new or grown, must be published after it.
   */
  async prepare(topics: readonly TopicImage[]): Promise<void> {
    for (const prepare of this.#preparers) await prepare(topics)
  }

  /** Makes the next image the current one and tells everybody, in the order they subscribed. */
  publish(change: (builder: ImageBuilder) => ImageBuilder): ClusterImage {
    const { image, delta } = change(this.#image.change()).build()
    this.#image = image
    for (const publisher of this.#publishers) publisher(image, delta)
    return image
  }
}
