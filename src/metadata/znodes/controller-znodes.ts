import type { FinalizedFeatures } from '../features.ts'
import { encodeJson, ZnodeFormatError, ZnodeObject } from './znode-json.ts'
import { ZnodePath } from './znode-paths.ts'

/** Content of `/controller`: who it is, and since when in wall-clock milliseconds. */
export interface ControllerZnode {
  readonly brokerId: number
  readonly timestampMs: number
}

/** `/controller` in the format of Kafka 3.4 and later (version 2), in ZooKeeper mode. */
export function encodeController({ brokerId, timestampMs }: ControllerZnode): Uint8Array {
  return encodeJson({ version: 2, brokerid: brokerId, timestamp: String(timestampMs), kraftControllerEpoch: -1 })
}

/** Reads `/controller` of any version. */
export function decodeController(data: Uint8Array | null): ControllerZnode {
  const json = ZnodeObject.parse(ZnodePath.controller, data)
  return { brokerId: json.int('brokerid'), timestampMs: json.int('timestamp', -1) }
}

/** `/controller_epoch`: the number as text. */
export function encodeControllerEpoch(epoch: number): Uint8Array {
  return Buffer.from(String(epoch))
}

/** Reads `/controller_epoch`. */
export function decodeControllerEpoch(data: Uint8Array | null): number {
  const text = Buffer.from(data ?? []).toString('utf8')
  if (!/^\d{1,10}$/.test(text)) throw new ZnodeFormatError(ZnodePath.controllerEpoch, 'is not a number')
  return Number(text)
}

/** `/cluster/id`. */
export function encodeClusterId(clusterId: string): Uint8Array {
  return encodeJson({ version: '1', id: clusterId })
}

/** Reads `/cluster/id`. */
export function decodeClusterId(data: Uint8Array | null): string {
  return ZnodeObject.parse(ZnodePath.clusterId, data).string('id')
}

/** Producer ids that a broker has taken for itself (KIP-730): `first` to `last`, both included. */
export interface ProducerIdBlock {
  readonly brokerId: number
  readonly first: number
  readonly last: number
}

/** `/latest_producer_id_block`. */
export function encodeProducerIdBlock({ brokerId, first, last }: ProducerIdBlock): Uint8Array {
  return encodeJson({ version: 1, broker: brokerId, block_start: String(first), block_end: String(last) })
}

/** Reads `/latest_producer_id_block`; undefined while no block was taken. */
export function decodeProducerIdBlock(data: Uint8Array | null): ProducerIdBlock | undefined {
  if (data === null || data.length === 0) return undefined
  const json = ZnodeObject.parse(ZnodePath.producerIdBlock, data)
  return { brokerId: json.int('broker'), first: json.int('block_start'), last: json.int('block_end') }
}

const FEATURES_ENABLED = 1

/** `/feature` (KIP-584) in the format of Kafka 3.3 and later (version 2). */
export function encodeFeatures(levels: FinalizedFeatures['levels']): Uint8Array {
  const features = Object.fromEntries([...levels].map(([feature, level]) => [feature, { max_version_level: level }]))
  return encodeJson({ features, version: 2, status: FEATURES_ENABLED })
}

/** Reads `/feature` of any version: levels by feature, none where features are disabled. */
export function decodeFeatures(data: Uint8Array | null): FinalizedFeatures['levels'] {
  const json = ZnodeObject.parse(ZnodePath.feature, data)
  if (json.int('status') !== FEATURES_ENABLED) return new Map()
  const features = json.object('features')
  return new Map(features.names().map(name => [name, features.object(name).int('max_version_level')]))
}
