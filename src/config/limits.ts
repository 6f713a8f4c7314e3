/** Java's greatest long, which Kafka's settings use for "without limit". Reads as `Number.MAX_SAFE_INTEGER`. */
export const LONG_MAX = '9223372036854775807'

/** Java's greatest double, as Kafka prints it. */
export const DOUBLE_MAX = '1.7976931348623157E308'
