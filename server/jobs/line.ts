import { type Scope, scopeKey } from '../store/scope.ts'

/** Applications that wait for their turn. Tenants take turns, however many applications they have, and so do those of one tenant. */
export interface Line {
  /** Puts the application at the end of its tenant's line, unless it waits there already. */
  add(scope: Scope): void
  /** Takes the next one out. */
  next(): Scope | undefined
}

export function openLine(): Line {
  const tenants = new Map<string, Map<string, Scope>>()
  return {
    add(scope) {
      const waiting = tenants.get(scope.tenant) ?? new Map<string, Scope>()
      tenants.set(scope.tenant, waiting)
      const key = scopeKey(scope)
      if (!waiting.has(key)) waiting.set(key, scope)
    },
    next() {
      const [tenant, waiting] = tenants.entries().next().value ?? []
      if (tenant === undefined || waiting === undefined) return undefined
      const [key, scope] = waiting.entries().next().value!
      waiting.delete(key)
      // What is set again stands at the end.
      tenants.delete(tenant)
      if (waiting.size > 0) tenants.set(tenant, waiting)
      return scope
    },
  }
}
