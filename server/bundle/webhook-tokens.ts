import { newWebhookToken, webhookTokenHash } from '../experience/webhook-token.ts'
import { WEBHOOKS_PREFIX } from '../experience/webhooks.ts'
import type { AppStore } from '../store/port.ts'
import type { Placed } from './identify.ts'
import { type HostUrls, isReference } from './references.ts'

/**
 * The token of a webhook that is imported: that which other texts of the folder name, else the one that it has, else a new one.
 * Only what changes.
 */
export function webhookToken(
  { item, current }: Placed,
  { ids, application }: { ids: ReadonlyMap<string, string>; application: string },
): { token?: string; tokenHash?: string } {
  const written = item.resource?.value.token
  const named = isReference(written) ? ids.get(written) : undefined
  const token = named ?? (current?.token as string | undefined) ?? newWebhookToken(application)
  return token === current?.token ? {} : { token, tokenHash: webhookTokenHash(token) }
}

/** The webhooks of an application by name, at most 1,000, and where they are called. */
export async function webhookAddresses(app: AppStore, hosts: HostUrls): Promise<{ name: string; url: string }[]> {
  const webhooks = await app.collection('webhooks').find({ sort: { field: 'name', direction: 'asc' }, limit: 1000 })
  return webhooks.map(({ name, token }) => ({ name, url: `${hosts['triggers-url']}${WEBHOOKS_PREFIX}${token}` }))
}
