import { type Connection, type ConnectionSink, type Network, NetworkError } from '../../src/platform/index.ts'

/**
 * A network whose connections break: each when it has delivered as many bytes as `bytesOf` says when it is made. What was under way
 * may have been done or not, as with a real one.
 */
export function cuttingNetwork(network: Network, bytesOf: () => number, onCut: () => void): Network {
  return {
    hostName: () => network.hostName(),
    listen: (host, port, accept) => network.listen(host, port, accept),
    connect: async (host, port, timeoutMs) => {
      const connection = await network.connect(host, port, timeoutMs)
      const start = connection.start.bind(connection)
      connection.start = sink => start(cuttingSink(connection, sink, bytesOf(), onCut))
      return connection
    },
  }
}

function cuttingSink(connection: Connection, sink: ConnectionSink, bytes: number, onCut: () => void): ConnectionSink {
  let left = bytes
  let isClosed = false
  const closed = (error?: NetworkError): void => {
    if (isClosed) return
    isClosed = true
    sink.closed(error)
  }
  return {
    target: () => sink.target(),
    drained: () => sink.drained(),
    closed,
    received: length => {
      left -= length
      if (left >= 0) {
        sink.received(length)
        return
      }
      onCut()
      connection.destroy()
      closed(new NetworkError('ECONNRESET', 'read'))
    },
  }
}
