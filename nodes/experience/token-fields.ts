import { flag, json, template } from '../../engine/fields.ts'

/** The settings of every node that issues a token. */
export const tokenFields = {
  ttl: template({ key: 'ttlTemplate', label: 'Lifetime in ms', help: 'Empty: never expires.' }),
  invalidateExisting: flag({
    key: 'invalidateExistingTokens',
    label: 'End earlier tokens',
    help: 'All tokens of the user that were issued before are void.',
  }),
  extraData: json({
    key: 'extraDataJsonTemplate',
    label: 'Extra data',
    help: 'Travels in the token; endpoints find it in experience.authInfo.extraData.',
  }),
}

/** A lifetime that is no positive number counts as none. */
export function lifetimeOf(ttl: string): { ttlMs?: number } {
  const ttlMs = Number(ttl)
  return ttlMs > 0 ? { ttlMs } : {}
}
