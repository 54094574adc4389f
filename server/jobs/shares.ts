import type { Scope } from '../store/scope.ts'
import { openLine } from './line.ts'

/** How much of this process one tenant may take. */
export interface Shares {
  /** False when the tenant has all it may have: `again` is called with the scope when some of that is free. */
  enter(scope: Scope): boolean
  leave(scope: Scope): void
}

/** At most `most` turns of one tenant at a time. */
export function openShares(most: number, again: (scope: Scope) => void): Shares {
  const taken = new Map<string, number>()
  const waiting = new Map<string, ReturnType<typeof openLine>>()
  return {
    enter(scope) {
      const { tenant } = scope
      const count = taken.get(tenant) ?? 0
      if (count < most) {
        taken.set(tenant, count + 1)
        return true
      }
      const line = waiting.get(tenant) ?? openLine()
      waiting.set(tenant, line)
      line.add(scope)
      return false
    },
    leave({ tenant }) {
      const count = (taken.get(tenant) ?? 1) - 1
      if (count > 0) taken.set(tenant, count)
      else taken.delete(tenant)
      const next = waiting.get(tenant)?.next()
      if (next === undefined) waiting.delete(tenant)
      else again(next)
    },
  }
}
