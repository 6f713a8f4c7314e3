/** What two test files that run at the same time must not do at the same time: install, download, build. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { sleep } from './process.ts'

const LOOK_AGAIN_MS = 100

/**
 * Runs `body` while no other process of this machine, nor this one, runs one of the same name: the path of what it makes, say. What
 * holds the name is a socket in Linux's abstract namespace, which is gone with its process however that ends; elsewhere, where there
 * is none, nobody waits.
 */
export async function oneAtATime<T>(name: string, body: () => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return body()
  // A path may be longer than the 107 bytes that such an address has room for.
  const address = `\0monedula-${createHash('sha256').update(name).digest('hex')}`
  let holder = await listeningAt(address)
  for (; holder === undefined; holder = await listeningAt(address)) await sleep(LOOK_AGAIN_MS)
  try {
    return await body()
  } finally {
    holder.close()
  }
}

/** A server there; undefined where there is one already. */
function listeningAt(address: string): Promise<Server | undefined> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(address, () => resolve(server))
  })
}
