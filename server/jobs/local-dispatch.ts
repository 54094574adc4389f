import { type Scope, scopeKey } from '../store/scope.ts'
import type { Dispatch } from './port.ts'

/** Dispatch within this process. */
export function openLocalDispatch(): Dispatch {
  const line = new Map<string, Scope>()
  const turns = new Set<Promise<void>>()
  let work: { turn(scope: Scope): Promise<boolean>; concurrency: number } | undefined
  let closed = false

  function wake(scope: Scope) {
    const key = scopeKey(scope)
    if (closed || line.has(key)) return
    line.set(key, scope)
    serve()
  }

  function serve() {
    while (work !== undefined && !closed && turns.size < work.concurrency) {
      const first = line.entries().next()
      if (first.done) return
      const [key, scope] = first.value
      line.delete(key)
      const turn = work.turn(scope).then((more) => {
        turns.delete(turn)
        if (more) wake(scope)
        serve()
      })
      turns.add(turn)
    }
  }

  return {
    wake,
    onWake(turn, concurrency) {
      work = { turn, concurrency }
      serve()
    },
    check: async () => undefined,
    async close() {
      closed = true
      await Promise.all(turns)
    },
  }
}
