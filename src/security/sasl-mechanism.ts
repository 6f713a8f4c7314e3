/** Sends bytes to the server and resolves to its answer. */
export type SaslExchange = (message: Uint8Array) => Promise<Uint8Array>

/** The client's side of a SASL mechanism (RFC 4422), for any number of connections. */
export interface SaslMechanism {
  /** As it goes over the wire: `SCRAM-SHA-512`. */
  readonly name: string
  /**
   * Says who we are, and where the mechanism knows how, makes sure that the server knows us.
   * @throws KafkaError SASL_AUTHENTICATION_FAILED for a server that does not hold to the mechanism; what `exchange` throws
   */
  authenticate(exchange: SaslExchange): Promise<void>
}
