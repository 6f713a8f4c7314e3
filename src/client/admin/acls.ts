import { ErrorCode, KafkaError } from '../../protocol/index.ts'
import { DescribeAclsRequest, DescribeAclsResponse } from '../../protocol/messages/29-describe-acls.ts'
import { CreateAclsRequest, CreateAclsResponse } from '../../protocol/messages/30-create-acls.ts'
import { DeleteAclsRequest, DeleteAclsResponse } from '../../protocol/messages/31-delete-acls.ts'
import { checkFields, checkItems, type KnownFields } from '../checked-items.ts'
import { meant } from '../mistyped-setting.ts'
import { type AdminCall, asked, settle } from './admin-call.ts'

const NEEDED = { resourceType: 'text', resourceName: 'text', principal: 'text', operation: 'text' } as const

const DESCRIBE = { request: DescribeAclsRequest, response: DescribeAclsResponse }
const CREATE = { request: CreateAclsRequest, response: CreateAclsResponse }
const DELETE = { request: DeleteAclsRequest, response: DeleteAclsResponse }

// Numbers on the wire (Java's ResourceType, PatternType, AclOperation, AclPermissionType).
const RESOURCES = {
  any: 1,
  topic: 2,
  group: 3,
  cluster: 4,
  'transactional-id': 5,
  'delegation-token': 6,
  user: 7,
} as const
const PATTERNS = { any: 1, match: 2, literal: 3, prefixed: 4 } as const
const OPERATIONS = {
  any: 1,
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'cluster-action': 9,
  'describe-configs': 10,
  'alter-configs': 11,
  'idempotent-write': 12,
  'create-tokens': 13,
  'describe-tokens': 14,
} as const
const PERMISSIONS = { any: 1, deny: 2, allow: 3 } as const

export type AclResourceType = Exclude<keyof typeof RESOURCES, 'any'>
export type AclOperation = Exclude<keyof typeof OPERATIONS, 'any'>
export type AclPermission = Exclude<keyof typeof PERMISSIONS, 'any'>

/** What a broker says when it was not asked for operations, or cannot tell. */
const NOT_ASKED = -0x8000_0000

/** Operations by the bits of their numbers (KIP-430); undefined where the broker was not asked for them. */
export function operationsIn(bits: number): AclOperation[] | undefined {
  if (bits === NOT_ASKED) return undefined
  const names = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]
  return names.filter((name): name is AclOperation => name !== 'any' && (bits & (1 << OPERATIONS[name])) !== 0)
}

/** Who may, or may not, do what to which resource (Java's AclBinding). */
export interface AclBinding {
  readonly resourceType: AclResourceType
  /** Of a topic, a group, ...; `*` for all of them; `kafka-cluster` for the cluster. */
  readonly resourceName: string
  /** `prefixed`: every resource whose name begins so. */
  readonly patternType: 'literal' | 'prefixed'
  /** `User:alice`; `User:*` for everybody. */
  readonly principal: string
  /** An address; `*` for every one. */
  readonly host: string
  readonly operation: AclOperation
  readonly permission: AclPermission
}

/** An ACL that is to be: literal, from every host, and one that allows, unless it says otherwise. */
export type NewAcl = Pick<AclBinding, 'resourceType' | 'resourceName' | 'principal' | 'operation'> & Partial<AclBinding>

/** Which ACLs are meant: all that agree in what is given. `match` finds all that count for a resource: literal, `*` and prefixed ones. */
export type AclFilter = Partial<Omit<AclBinding, 'patternType'>> & {
  readonly patternType?: 'literal' | 'prefixed' | 'match'
}

const FIELDS: KnownFields<AclBinding> = {
  resourceType: true,
  resourceName: true,
  patternType: true,
  principal: true,
  host: true,
  operation: true,
  permission: true,
}

export async function describeAcls(call: AdminCall, filter: AclFilter): Promise<AclBinding[]> {
  checkFields<AclFilter>('describing ACLs', filter, FIELDS)
  const { resources } = await asked(call, 'describing ACLs', () =>
    call.cluster.requestAny(DESCRIBE, filterOnWire(filter)),
  )
  return resources.flatMap(({ resourceType, resourceName, patternType, acls }) =>
    acls.map(acl => readBinding({ ...acl, resourceType, resourceName, patternType })),
  )
}

export async function createAcls(call: AdminCall, acls: readonly NewAcl[]): Promise<void> {
  checkItems('creating ACLs', acls, NEEDED, FIELDS)
  const items = acls.map((acl, index) => ({ acl, key: `${index}: ${aclText(acl)}` }))
  await settle(call, { what: 'creating ACLs', items, keyOf: ({ key }) => key }, async left => {
    const { results } = await call.cluster.requestAny(CREATE, { creations: left.map(({ acl }) => bindingOnWire(acl)) })
    // Answers come in the order of what was asked.
    return results.map((result, index) => ({ ...result, key: left[index]?.key ?? '', result: undefined }))
  })
}

export async function deleteAcls(call: AdminCall, filters: readonly AclFilter[]): Promise<AclBinding[]> {
  checkItems<AclFilter>('deleting ACLs', filters, {}, FIELDS)
  const items = filters.map((filter, index) => ({ filter, key: `${index}: ${aclText(filter)}` }))
  const deleted = await settle(call, { what: 'deleting ACLs', items, keyOf: ({ key }) => key }, async left => {
    const answer = await call.cluster.requestAny(DELETE, { filters: left.map(({ filter }) => filterOnWire(filter)) })
    return answer.filterResults.map(({ errorCode, errorMessage, matchingAcls }, index) => {
      const failed = matchingAcls.find(acl => acl.errorCode !== ErrorCode.NONE)
      return {
        key: left[index]?.key ?? '',
        errorCode: failed?.errorCode ?? errorCode,
        errorMessage: failed?.errorMessage ?? errorMessage,
        result: matchingAcls.map(readBinding),
      }
    })
  })
  return deleted.flat()
}

function bindingOnWire({ patternType = 'literal', host = '*', permission = 'allow', ...acl }: NewAcl) {
  return {
    resourceType: numberIn(RESOURCES, 'resourceType', acl.resourceType),
    resourceName: acl.resourceName,
    resourcePatternType: numberIn(PATTERNS, 'patternType', patternType),
    principal: acl.principal,
    host,
    operation: numberIn(OPERATIONS, 'operation', acl.operation),
    permissionType: numberIn(PERMISSIONS, 'permission', permission),
  }
}

function filterOnWire(filter: AclFilter) {
  return {
    resourceTypeFilter: numberIn(RESOURCES, 'resourceType', filter.resourceType ?? 'any'),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: numberIn(PATTERNS, 'patternType', filter.patternType ?? 'any'),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: numberIn(OPERATIONS, 'operation', filter.operation ?? 'any'),
    permissionType: numberIn(PERMISSIONS, 'permission', filter.permission ?? 'any'),
  }
}

function readBinding(acl: {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}): AclBinding {
  const { resourceName, principal, host } = acl
  return {
    resourceType: nameIn(RESOURCES, acl.resourceType) as AclResourceType,
    resourceName,
    patternType: nameIn(PATTERNS, acl.patternType) as AclBinding['patternType'],
    principal,
    host,
    operation: nameIn(OPERATIONS, acl.operation) as AclOperation,
    permission: nameIn(PERMISSIONS, acl.permissionType) as AclPermission,
  }
}

/** @throws KafkaError INVALID_REQUEST for a word that is none, such as a number that other clients have for it */
function numberIn(numbers: Readonly<Record<string, number>>, field: string, word: string): number {
  const number = Object.hasOwn(numbers, word) ? numbers[word] : undefined
  if (number === undefined)
    throw new KafkaError(
      'INVALID_REQUEST',
      `ACLs have no ${field} ${word}: ${meant(String(word), Object.keys(numbers))}`,
    )
  return number
}

function nameIn(numbers: Readonly<Record<string, number>>, number: number): string {
  const name = Object.entries(numbers).find(([, one]) => one === number)?.[0]
  if (name === undefined)
    throw new KafkaError('UNSUPPORTED_VERSION', `the broker has an ACL of a newer kind (${number})`)
  return name
}

const aclText = ({ principal, operation, resourceType, resourceName }: AclFilter): string =>
  [principal, operation, resourceType, resourceName].filter(part => part !== undefined).join(' ') || 'every ACL'
