import { stringifySetCookie } from 'cookie'
import { FlowError } from '../../engine/errors.ts'
import type { CookieChange, Reply } from '../../nodes/services/reply.ts'

/**
 * The `set-cookie` header of a change. Without a path it is `/`, without a same-site rule `lax`, without an age it lives
 * as long as the browser's session. Only the cookie `authorization` is hidden from scripts. Throws FlowError `reply.cookie`.
 */
export function toSetCookie(change: CookieChange, options: { sameSite: Reply['sameSite']; secure: boolean }): string {
  const sameSite = options.sameSite ?? 'lax'
  const removed = change.value === undefined
  try {
    return stringifySetCookie({
      name: change.name,
      value: change.value ?? '',
      path: change.path || '/',
      maxAge: removed ? 0 : change.maxAgeMs === undefined ? undefined : secondsOf(change.maxAgeMs),
      expires: removed ? new Date(0) : undefined,
      httpOnly: change.name === 'authorization',
      // Browsers drop `none` without `secure`.
      secure: options.secure || sameSite === 'none',
      sameSite,
    })
  } catch (cause) {
    const what = `"${change.name.slice(0, 100)}" with path "${(change.path ?? '/').slice(0, 100)}"`
    throw new FlowError('reply.cookie', `Expected a cookie name and path that HTTP allows, got ${what}`, { cause })
  }
}

function secondsOf(milliseconds: number): number {
  return Math.max(0, Math.min(Math.floor(milliseconds / 1000), Number.MAX_SAFE_INTEGER))
}
