import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AppStore } from '../store/port.ts'
import { EXPORTS_PREFIX } from './export-document.ts'

/**
 * The path by which anyone who has it downloads the file of an export until `expiresAt` (milliseconds since the epoch): mails and
 * other servers fetch it without a session.
 */
export async function signedPath(app: AppStore, jobId: string, expiresAt: number): Promise<string> {
  const expires = Math.floor(expiresAt / 1000)
  const secret = await secretOf(app)
  if (secret === undefined) throw new Error('The application has no document, so no secret to sign links with')
  return `${EXPORTS_PREFIX}${jobId}?expires=${expires}&signature=${sign(app, { secret, jobId, expires })}`
}

/** True when the query of a link was signed here for this job and has not expired. `now` in milliseconds since the epoch. */
export async function isSigned(
  app: AppStore,
  jobId: string,
  { expires, signature, now }: { expires: string; signature: string; now: number },
): Promise<boolean> {
  if (!/^\d{1,12}$/.test(expires) || Number(expires) * 1000 <= now) return false
  const secret = await secretOf(app)
  if (secret === undefined) return false
  const wanted = Buffer.from(sign(app, { secret, jobId, expires: Number(expires) }))
  const given = Buffer.from(signature)
  // Constant time: the length of a match would tell how much of a signature was right.
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

async function secretOf(app: AppStore): Promise<string | undefined> {
  return (await app.collection('application').get(app.scope.application))?.secret
}

// The purpose stands in the text, so that no other use of the secret gives a valid signature, and so does the application:
// a copy of one may have the same secret.
function sign(app: AppStore, { secret, jobId, expires }: { secret: string; jobId: string; expires: number }): string {
  const text = `export\n${app.scope.application}\n${expires}\n${jobId}`
  return createHmac('sha256', secret).update(text).digest('base64url')
}
