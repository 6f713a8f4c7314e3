export { FrameBudget } from './frame-budget.ts'
export { FrameReader } from './frame-reader.ts'
export { type Reply, type RequestProcessor, ServerConnection } from './server-connection.ts'
export { type ListenerAddress, SocketServer, type SocketServerOptions } from './socket-server.ts'
