import type { IncomingHttpHeaders } from 'node:http'

/** Headers that let pages of other origins read a reply: of any origin, or of those in `allowed`. */
export function corsHeaders(
  allowed: readonly string[] | undefined,
  origin: string | undefined,
): Record<string, string> {
  if (allowed === undefined) return { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' }
  if (origin === undefined || !allowed.includes(origin)) return { vary: 'Origin' }
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'Origin' }
}

/** What the automatic reply to OPTIONS adds: the methods and headers that a request from elsewhere may use. */
export function preflightHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const asked = headers['access-control-request-headers']
  return {
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
    // A star would not cover Authorization, so the names asked for are given back.
    'access-control-allow-headers':
      asked !== undefined && /^[\w\-, ]{1,2000}$/.test(asked) ? asked : 'Accept, Authorization, Content-Type',
    'access-control-max-age': '86400',
  }
}
