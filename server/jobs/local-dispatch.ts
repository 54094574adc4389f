import type { Scope } from '../store/scope.ts'
import { openLine } from './line.ts'
import type { Dispatch } from './port.ts'

/** Dispatch within this process: workers of others see only by their looks what is to be done. */
export function openLocalDispatch(): Dispatch {
  const line = openLine()
  const turns = new Set<Promise<void>>()
  let work: { turn(scope: Scope): Promise<boolean>; concurrency: number } | undefined
  let closed = false

  function wake(scope: Scope) {
    if (closed) return
    line.add(scope)
    serve()
  }

  function serve() {
    while (work !== undefined && !closed && turns.size < work.concurrency) {
      const scope = line.next()
      if (scope === undefined) return
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
