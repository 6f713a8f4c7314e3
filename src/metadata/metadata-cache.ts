import { type ClusterDelta, ClusterImage, type ImageBuilder } from './cluster-image.ts'

/** Learns of every change, in order. It must not throw and must not publish. */
export type MetadataPublisher = (image: ClusterImage, delta: ClusterDelta) => void

/** The image that this broker goes by, and those who act on its changes. */
export class MetadataCache {
  #image = ClusterImage.empty()
  readonly #publishers = new Set<MetadataPublisher>()

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

  /** Makes the next image the current one and tells everybody, in the order they subscribed. */
  publish(change: (builder: ImageBuilder) => ImageBuilder): ClusterImage {
    const { image, delta } = change(this.#image.change()).build()
    this.#image = image
    for (const publisher of this.#publishers) publisher(image, delta)
    return image
  }
}
