export {
  type ClientSecurity,
  clientSecurity,
  type SaslOptions,
  type SecurityMachine,
  type SecurityParts,
} from './client-security.ts'
export type { OAuthToken, TokenProvider } from './oauth-bearer.ts'
export type { SaslExchange, SaslMechanism } from './sasl-mechanism.ts'
export { saltPassword } from './scram.ts'
export { MIN_ITERATIONS, type ScramMechanismName } from './scram-exchange.ts'
export { clientSecurityKeys } from './security-keys.ts'
export { tlsFailure } from './tls-failure.ts'
