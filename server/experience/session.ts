import type { Payload } from '../../engine/payload.ts'
import type { UserView } from '../../nodes/services/people.ts'
import type { RequestParts } from './request.ts'

/** Who asks, and the facts of the token that says so. */
export interface Session {
  user: UserView
  authInfo: { issuedAt: unknown; expiresAt: unknown; extraData: unknown }
}

const REDACTED = '*****REDACTED*****'
/** Longer tokens are not looked at. */
const MOST_TOKEN = 8_192

/**
 * Finds the session of a request. Tokens are read from the header (`Bearer`), then the query, then the cookie; the first
 * that is valid counts. That token is redacted in the request wherever it stands; other values stay as they are.
 */
export async function findSession(
  request: RequestParts,
  verify: (token: string) => Promise<Session | undefined>,
): Promise<Session | undefined> {
  for (const token of new Set(tokensOf(request))) {
    const session = await verify(token)
    if (session === undefined) continue
    redact(request, token)
    return session
  }
  return undefined
}

function tokensOf(request: RequestParts): string[] {
  return [bearerOf(request.headers), request.query.authorization, request.cookies.authorization].filter(
    (one): one is string => typeof one === 'string' && one !== '' && one.length <= MOST_TOKEN,
  )
}

function bearerOf(headers: Payload): string | undefined {
  const value = headers.authorization
  return typeof value === 'string' ? /^bearer +(\S+) *$/i.exec(value)?.[1] : undefined
}

// The token may stand in several places, and in the raw text of others: a flow must find it in none.
function redact(request: RequestParts, token: string): void {
  const { headers, query, cookies } = request
  if (query.authorization === token) query.authorization = REDACTED
  if (cookies.authorization === token) {
    cookies.authorization = REDACTED
    headers.cookie = String(headers.cookie).replace(
      /(^|;)(\s*)authorization\s*=[^;]*/g,
      `$1$2authorization=${REDACTED}`,
    )
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && value.includes(token)) headers[name] = value.replaceAll(token, REDACTED)
  }
}
