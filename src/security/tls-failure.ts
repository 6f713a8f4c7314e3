import type { TlsError } from '../platform/index.ts'
import { KafkaError } from '../protocol/index.ts'

const UNTRUSTED =
  'its certificate is of no authority that is trusted here; give that as ssl.truststore.location, or as tls.ca'
const CLIENT_CERTIFICATE =
  'the broker does not accept the certificate of this client, or got none; check ssl.keystore.location, or tls.cert and tls.key'

const OTHER_HOST = 'ERR_TLS_CERT_ALTNAME_INVALID'

/** What OpenSSL's and Node's codes mean to whoever set up the client. */
const REASONS: readonly (readonly [codes: RegExp, reason: string])[] = [
  [/^(SELF_SIGNED|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/, UNTRUSTED],
  [/^CERT_HAS_EXPIRED$/, 'its certificate has expired'],
  [/^CERT_NOT_YET_VALID$/, 'its certificate is not valid yet'],
  [/^CERT_REVOKED$/, 'its certificate has been revoked'],
  [
    /ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|NO_CERTIFICATE|ACCESS_DENIED)|HANDSHAKE_FAILURE$/,
    CLIENT_CERTIFICATE,
  ],
  [
    /(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    'it does not speak TLS; is this a PLAINTEXT or SASL_PLAINTEXT listener?',
  ],
  [/(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL)$/, 'it has no version of TLS in common with ssl.enabled.protocols'],
]

/** SSL_AUTHENTICATION_FAILED in one line, with the way out where it is known. Trying again changes nothing (Java's SslAuthenticationException). */
export function tlsFailure(host: string, port: number, error: TlsError): KafkaError {
  const known = REASONS.find(([codes]) => codes.test(error.code))?.[1]
  const reason = error.code === OTHER_HOST ? otherHost(host, error.cause) : (known ?? firstLine(error.cause))
  return new KafkaError('SSL_AUTHENTICATION_FAILED', `TLS with ${host}:${port} failed: ${reason} (${error.code})`, {
    cause: error,
  })
}

/** Node hands over the certificate that is for somebody else. */
function otherHost(host: string, cause: unknown): string {
  const { cert } = cause as { cert?: { subject?: { CN?: string }; subjectaltname?: string } }
  return `its certificate is for ${cert?.subjectaltname ?? cert?.subject?.CN ?? 'nobody'}, not for ${host}`
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.split('\n', 1)[0]!.trim()
}
