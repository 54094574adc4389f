import { type Scope, scopeKey } from '../store/scope.ts'
import type { Dispatch } from './port.ts'

// setTimeout takes no more: a longer wait ends early, which does no harm.
const longestWaitMs = 2 ** 31 - 1

/** Dispatch within this process. */
export function openLocalDispatch(): Dispatch {
  const line = new Map<string, Scope>()
  const later = new Map<string, { at: number; timer: NodeJS.Timeout }>()
  const turns = new Set<Promise<void>>()
  let work: { turn(scope: Scope): Promise<boolean>; concurrency: number } | undefined
  let closed = false

  function join(scope: Scope) {
    const key = scopeKey(scope)
    if (!line.has(key)) line.set(key, scope)
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
        if (more) join(scope)
        else serve()
      })
      turns.add(turn)
    }
  }

  return {
    wake(scope, afterMs = 0) {
      if (closed) return
      if (afterMs <= 0) return join(scope)
      const key = scopeKey(scope)
      const at = performance.now() + afterMs
      const waiting = later.get(key)
      // The earliest is enough: each turn wakes for what is due next.
      if (waiting !== undefined && waiting.at <= at) return
      clearTimeout(waiting?.timer)
      const ring = () => {
        later.delete(key)
        join(scope)
      }
      later.set(key, { at, timer: setTimeout(ring, Math.min(afterMs, longestWaitMs)) })
    },
    onWake(turn, concurrency) {
      work = { turn, concurrency }
      serve()
    },
    check: async () => undefined,
    async close() {
      closed = true
      for (const { timer } of later.values()) clearTimeout(timer)
      later.clear()
      line.clear()
      await Promise.all(turns)
    },
  }
}
