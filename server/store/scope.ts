/** One application of one tenant. */
export interface Scope {
  tenant: string
  application: string
}

/** One text for one application of one tenant: the key of everything that is kept in memory by application. */
export function scopeKey({ tenant, application }: Scope): string {
  return `${tenant}\n${application}`
}
