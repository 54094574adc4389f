import { newWebhookToken, webhookTokenHash } from '../experience/webhook-token.ts'
import type { Placed } from './identify.ts'
import { isReference } from './references.ts'

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
