import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose'

/** What a token says. Times are milliseconds since the epoch. */
export interface TokenClaims {
  userId: string
  issuedAt: number
  expiresAt?: number
  extraData?: unknown
}

export interface Tokens {
  sign(claims: TokenClaims): Promise<string>
  /** Undefined for what this application did not sign, and for what has expired. */
  read(token: string): Promise<TokenClaims | undefined>
}

const mostToken = 16_384

/** Tokens are JWTs (HS256) of one application. */
export function openTokens({
  application,
  secret,
  now,
}: {
  application: string
  secret(): Promise<string> | string
  now(): number
}): Tokens {
  const verify = openVerifier({ secret, now })
  const keyOf = async () => new TextEncoder().encode(await secret())
  return {
    async sign({ userId, issuedAt, expiresAt, extraData }) {
      const claims = { app: application, iatMs: issuedAt, ...(extraData === undefined ? {} : { x: extraData }) }
      const token = new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(userId)
        .setIssuedAt(Math.floor(issuedAt / 1000))
      if (expiresAt !== undefined) token.setExpirationTime(expiresAt / 1000)
      return await token.sign(await keyOf())
    },

    async read(token) {
      if (token === '' || token.length > mostToken) return undefined
      try {
        const payload = await verify(token)
        const { sub, app, iatMs, exp, x } = payload
        if (app !== application || typeof sub !== 'string' || typeof iatMs !== 'number') return undefined
        if (exp !== undefined && exp * 1000 <= now()) return undefined
        return { userId: sub, issuedAt: iatMs, expiresAt: exp === undefined ? undefined : exp * 1000, extraData: x }
      } catch (error) {
        // Whatever is wrong with a token that someone sent, it is no token of ours.
        if (error instanceof errors.JOSEError) return undefined
        throw error
      }
    },
  }
}

const mostVerified = 10_000

/**
 * Checks signatures, each once: what a signature says of a text never changes while the secret stays. Whether a token has
 * expired since, and whether its user still has it, is asked by the callers each time.
 */
function openVerifier({ secret, now }: { secret(): Promise<string> | string; now(): number }) {
  const verified = new Map<string, JWTPayload>()
  let verifiedWith: string | undefined
  return async (token: string): Promise<JWTPayload> => {
    const text = await secret()
    if (text !== verifiedWith) verified.clear()
    verifiedWith = text
    const known = verified.get(token)
    if (known !== undefined) return known
    const { payload } = await jwtVerify(token, new TextEncoder().encode(text), {
      algorithms: ['HS256'],
      currentDate: new Date(now()),
      clockTolerance: 0,
    })
    // The secret may have been changed meanwhile: what the old one signed is then not for keeping.
    if (text !== verifiedWith) return payload
    if (verified.size >= mostVerified) verified.delete(verified.keys().next().value!)
    verified.set(token, payload)
    return payload
  }
}
