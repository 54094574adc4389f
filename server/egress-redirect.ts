import { FlowError } from '../engine/errors.ts'
import type { HttpRequest } from '../nodes/services/http.ts'

/** The URL of a request. Throws `http.url` for anything but an absolute one of the web. */
export function toUrl(text: string): URL {
  const url = URL.parse(text)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url
  throw new FlowError(
    'http.url',
    `Expected a URL such as https://example.com/path, got "${text.slice(0, 200)}". Check its template.`,
  )
}

/** Where an answer redirects to; undefined when it does not. */
export function locationOf(status: number, headers: Record<string, string | string[] | undefined>): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined
  const { location } = headers
  return Array.isArray(location) ? location[0] : location
}

/**
 * The request that follows a redirect, as browsers send it: a POST becomes a GET after 301 and 302, everything but HEAD
 * after 303. On another origin without what proves who asks. Throws `http.redirects`.
 */
export function nextRequest(
  request: HttpRequest,
  { from, location, status }: { from: URL; location: string; status: number },
): HttpRequest {
  const url = URL.parse(location, from.href)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new FlowError('http.redirects', `Expected a redirect to a web address, got "${location.slice(0, 200)}"`)
  }
  const next = { ...request, url: url.href }
  const becomesGet =
    status === 303 ? request.method !== 'HEAD' : (status === 301 || status === 302) && request.method === 'POST'
  if (becomesGet && request.method !== 'GET') {
    next.method = 'GET'
    next.body = undefined
    next.headers = without(next.headers, /^content-/i)
  }
  if (url.origin !== from.origin) {
    next.headers = without(next.headers, /^(host|cookie)$|auth|token|secret|signature|api-?key/i)
    next.clientCert = undefined
  }
  return next
}

function without(headers: Record<string, string>, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)))
}
