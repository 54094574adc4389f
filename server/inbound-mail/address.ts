/** Where a mail goes: an application, and the key of the triggers that listen to it. */
export interface Recipient {
  application: string
  key: string
}

/** The key of triggers that listen to the address without a subaddress. */
export const DEFAULT_KEY = 'default'

/** Who `<application id>[+key]@<domain>` is; undefined for an address of another form or domain. Case counts nowhere. */
export function recipientOf(address: string, domain: string): Recipient | undefined {
  const [, application, key, at] = /^([0-9a-f]{24})(?:\+([^@]{0,200}))?@([^@]+)$/.exec(address.toLowerCase()) ?? []
  if (application === undefined || at !== domain.toLowerCase()) return undefined
  return { application, key: keyOf(key ?? '') }
}

/** A key as addresses are compared with it. */
export function keyOf(key: string): string {
  return key.trim().toLowerCase() || DEFAULT_KEY
}
