import { encodeJson, ZnodeFormatError, ZnodeObject } from './znode-json.ts'
import { ZnodePath } from './znode-paths.ts'

/** `/config/<entity>`: settings by key. */
export function encodeConfig(settings: ReadonlyMap<string, string>): Uint8Array {
  return encodeJson({ version: 1, config: Object.fromEntries(settings) })
}

/** Reads `/config/<entity>`; a znode without data has no settings. */
export function decodeConfig(entity: string, data: Uint8Array | null): ReadonlyMap<string, string> {
  if (data === null || data.length === 0) return new Map()
  const config = ZnodeObject.parse(ZnodePath.config(entity), data).object('config')
  return new Map(config.names().map(name => [name, config.string(name)]))
}

/** `/config/changes/config_change_N`: tells brokers that the settings of an entity have changed. */
export function encodeConfigChange(entity: string): Uint8Array {
  return encodeJson({ version: 2, entity_path: entity })
}

/** Reads a change notification of version 1 or 2; gives the entity. */
export function decodeConfigChange(path: string, data: Uint8Array | null): string {
  const json = ZnodeObject.parse(path, data)
  if (json.int('version') >= 2) return json.string('entity_path')
  const type = json.string('entity_type')
  if (type !== 'topics' && type !== 'clients') throw new ZnodeFormatError(path, `has the entity type ${type}`)
  return `${type}/${json.string('entity_name')}`
}
