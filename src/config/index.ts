export {
  Config,
  ConfigDef,
  type ConfigKey,
  type ConfigTable,
  type ConfigValueOf,
  defineConfig,
  type Importance,
  type Properties,
  type UpdateMode,
} from './config-def.ts'
export { ConfigError } from './config-error.ts'
export { type AnyConfigValue, type ConfigType, Password } from './config-value.ts'
export { kindOf } from './kind-of.ts'
export { parseProperties } from './properties.ts'
export { atLeast, between, type OneOf, oneOf, oneOfAnyCase, type Validator } from './validators.ts'
