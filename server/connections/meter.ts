import type { Socket } from 'node:net'

const EVERY_MS = 20

/**
 * Does work that reads from sockets, which are destroyed with `error()` once more than `mostBytes` have come: clients read an answer
 * to its end, and keep all of it.
 */
export async function metered<T>(
  sockets: readonly Socket[],
  { mostBytes, error }: { mostBytes: number; error(): Error },
  work: () => Promise<T>,
): Promise<T> {
  const bytesRead = () => sockets.reduce((sum, socket) => sum + socket.bytesRead, 0)
  const before = bytesRead()
  const exceeded = Promise.withResolvers<never>()
  const timer = setInterval(() => {
    if (bytesRead() - before <= mostBytes) return
    const reason = error()
    for (const socket of sockets) socket.destroy(reason)
    exceeded.reject(reason)
  }, EVERY_MS)
  try {
    return await Promise.race([work(), exceeded.promise])
  } finally {
    clearInterval(timer)
  }
}
