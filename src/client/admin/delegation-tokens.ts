import { kindOf } from '../../config/index.ts'
import { KafkaError } from '../../protocol/index.ts'
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from '../../protocol/messages/38-create-delegation-token.ts'
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from '../../protocol/messages/39-renew-delegation-token.ts'
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from '../../protocol/messages/40-expire-delegation-token.ts'
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from '../../protocol/messages/41-describe-delegation-token.ts'
import { checkItems } from '../checked-items.ts'
import { type AdminCall, asked, type CallOptions } from './admin-call.ts'

const CREATE = { request: CreateDelegationTokenRequest, response: CreateDelegationTokenResponse }
const RENEW = { request: RenewDelegationTokenRequest, response: RenewDelegationTokenResponse }
const EXPIRE = { request: ExpireDelegationTokenRequest, response: ExpireDelegationTokenResponse }
const DESCRIBE = { request: DescribeDelegationTokenRequest, response: DescribeDelegationTokenResponse }
/** The first version of CreateDelegationToken that asks on behalf of another. */
const FIRST_WITH_OWNER = 3
const BROKERS_CHOICE = -1

/**
 * Lets its holder act as its owner for a while (KIP-48): by SCRAM with `sasl: { mechanism, username: tokenId, password: hmac, isToken: true }`.
 */
export interface DelegationToken {
  readonly tokenId: string
  /** The secret, Base64. */
  readonly hmac: string
  /** `User:alice` */
  readonly owner: string
  /** Who asked for it; the owner where the broker does not tell. */
  readonly requester: string
  /** Who may renew it beside its owner. */
  readonly renewers: readonly string[]
  /** Milliseconds since 1970. */
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  /** No renewal goes beyond this. */
  readonly maxAtMs: number
}

export interface CreateTokenOptions extends CallOptions {
  /** `User:alice`; whoever asks when left out. */
  readonly owner?: string
  readonly renewers?: readonly string[]
  /** As long as the broker allows when left out. */
  readonly maxLifetimeMs?: number
}

export async function createDelegationToken(
  call: AdminCall,
  { owner, renewers = [], maxLifetimeMs = BROKERS_CHOICE }: CreateTokenOptions,
): Promise<DelegationToken> {
  const what = 'creating a delegation token'
  checkItems(what, renewers)
  const principals = renewers.map(principal)
  const ofOwner = owner !== undefined && ownerOnWire(owner)
  const token = await asked(call, what, () =>
    call.cluster.requestAny(CREATE, version => ({
      renewers: principals,
      maxLifetimeMs,
      ...(version >= FIRST_WITH_OWNER && ofOwner),
    })),
  )
  const ownerName = `${token.principalType}:${token.principalName}`
  return {
    tokenId: token.tokenId,
    hmac: base64(token.hmac),
    owner: ownerName,
    requester: requesterOf(token, ownerName),
    renewers,
    issuedAtMs: token.issueTimestampMs,
    expiresAtMs: token.expiryTimestampMs,
    maxAtMs: token.maxTimestampMs,
  }
}

/** When it now expires, milliseconds since 1970. */
export async function renewDelegationToken(call: AdminCall, hmac: string, periodMs = BROKERS_CHOICE): Promise<number> {
  const what = 'renewing a delegation token'
  const body = { hmac: hmacBytes(what, hmac), renewPeriodMs: periodMs }
  const answer = await asked(call, what, () => call.cluster.requestAny(RENEW, body))
  return answer.expiryTimestampMs
}

/** When it now expires; at once when `periodMs` is negative. */
export async function expireDelegationToken(call: AdminCall, hmac: string, periodMs = -1): Promise<number> {
  const what = 'expiring a delegation token'
  const body = { hmac: hmacBytes(what, hmac), expiryTimePeriodMs: periodMs }
  const answer = await asked(call, what, () => call.cluster.requestAny(EXPIRE, body))
  return answer.expiryTimestampMs
}

export async function describeDelegationTokens(
  call: AdminCall,
  owners: readonly string[] | undefined,
): Promise<DelegationToken[]> {
  const what = 'describing delegation tokens'
  if (owners !== undefined) checkItems(what, owners)
  const principals = owners?.map(principal) ?? null
  const { tokens } = await asked(call, what, () => call.cluster.requestAny(DESCRIBE, { owners: principals }))
  return tokens.map(token => {
    const owner = `${token.principalType}:${token.principalName}`
    return {
      tokenId: token.tokenId,
      hmac: base64(token.hmac),
      owner,
      requester: requesterOf(token, owner),
      renewers: token.renewers.map(({ principalType, principalName }) => `${principalType}:${principalName}`),
      issuedAtMs: token.issueTimestamp,
      expiresAtMs: token.expiryTimestamp,
      maxAtMs: token.maxTimestamp,
    }
  })
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** @throws KafkaError INVALID_REQUEST for what is no text, without showing it */
function hmacBytes(what: string, hmac: string): Buffer {
  if (typeof hmac === 'string') return Buffer.from(hmac, 'base64')
  throw new KafkaError('INVALID_REQUEST', `${what}: its hmac is a text, not ${kindOf(hmac)}`)
}

/** `User:alice` as two. @throws KafkaError INVALID_REQUEST for what is not of that form, as Java refuses it */
function principal(text: string): { readonly principalType: string; readonly principalName: string } {
  const at = typeof text === 'string' ? text.indexOf(':') : -1
  if (at > 0) return { principalType: text.slice(0, at), principalName: text.slice(at + 1) }
  const given = typeof text === 'string' ? text : kindOf(text)
  throw new KafkaError('INVALID_REQUEST', `a principal is a text such as User:alice, not ${given}`)
}

function ownerOnWire(owner: string) {
  const { principalType, principalName } = principal(owner)
  return { ownerPrincipalType: principalType, ownerPrincipalName: principalName }
}

function requesterOf(
  token: { readonly tokenRequesterPrincipalType: string; readonly tokenRequesterPrincipalName: string },
  owner: string,
): string {
  const { tokenRequesterPrincipalType: type, tokenRequesterPrincipalName: name } = token
  return type === '' ? owner : `${type}:${name}`
}
