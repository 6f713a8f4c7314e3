export type { BrokerServices } from './broker-services.ts'
export { type Handler, handler, type RequestContext } from './handler.ts'
export { handlers } from './handlers/index.ts'
