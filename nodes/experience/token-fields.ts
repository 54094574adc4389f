import { flag, json, template } from '../../engine/fields.ts'

/** The settings of every node that issues a token. */
export const tokenFields = {
  ttl: template({ key: 'ttlTemplate', label: 'Lifetime in ms', help: 'Empty: never expires.' }),
  invalidateExisting: flag({ key: 'invalidateExistingTokens', label: 'End earlier tokens' }),
  extraData: json({ key: 'extraDataJsonTemplate', label: 'Extra data' }),
}

/** A lifetime that is no positive number counts as none. */
export function lifetimeOf(ttl: string): { ttlMs?: number } {
  const ttlMs = Number(ttl)
  return ttlMs > 0 ? { ttlMs } : {}
}
