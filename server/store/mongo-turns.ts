import type { Connection } from './mongo-client.ts'
import type { Leases } from './mongo-lease.ts'

/** How an update keeps out of the way of others of the same key. */
export interface Turns {
  /** One after the other in this process; over all processes where the server's own updates are not atomic. */
  alone<T>(key: string, work: () => Promise<T>): Promise<T>
  /** As `alone` where the server's own updates are not atomic; else at once. */
  guarded<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** The one place that knows that updates of one document may cross each other (FerretDB 1.x). */
export function openTurns(connection: Connection, leases: Leases): Turns {
  if (!connection.atomic) {
    const held: Turns['alone'] = (key, work) => connection.ask(() => leases.hold(key, work))
    return { alone: held, guarded: held }
  }
  const last = new Map<string, Promise<unknown>>()
  return {
    async alone(key, work) {
      const turn = (last.get(key) ?? Promise.resolve()).then(() => connection.ask(work))
      // Whoever comes next does not mind how this one ended.
      const ended = turn.catch(() => undefined)
      last.set(key, ended)
      void ended.then(() => {
        if (last.get(key) === ended) last.delete(key)
      })
      return turn
    },
    guarded: (_key, work) => connection.ask(work),
  }
}
