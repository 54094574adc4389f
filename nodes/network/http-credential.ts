import { FlowError } from '../../engine/errors.ts'
import { credentialOf } from '../credential.ts'
import type { CredentialSettings, Credentials } from '../services/credentials.ts'
import type { RequestParts } from './http-message.ts'
import { basic, hide } from './provider.ts'

type HttpCredential = CredentialSettings['http']

/** A stored credential and the URL that it is used for. */
export interface UsedCredential {
  credential: HttpCredential
  url: string
}

/**
 * The credential that a node names, for the URL that it asks: a whole one, or a path below that of the credential. Throws
 * FlowError `credential.*`, and `http.credential` for a URL that it is not for.
 */
export async function usedCredential(
  credentials: Credentials,
  { name, url }: { name: string; url: string },
): Promise<UsedCredential> {
  const credential = await credentialOf(credentials, { name, type: 'http' })
  if (!credential) throw new FlowError('http.credential', 'Expected the name of a stored credential, got nothing')
  const base = credential.uriMatch.trim()
  const whole = /^https?:\/\//i.test(url.trim())
    ? url.trim()
    : `${base.replace(/\/+$/, '')}/${url.trim().replace(/^\/+/, '')}`
  if (begins(whole, base)) return { credential, url: whole }
  const got = URL.canParse(whole) ? new URL(whole).origin : 'another'
  throw new FlowError(
    'http.credential',
    `Expected a URL that begins with "${base}", which the credential is for, got ${got}`,
  )
}

/** A request that proves who asks. Redirects are not followed: the secret is for this URL. */
export function withCredential(request: RequestParts, { credential, url }: UsedCredential): RequestParts {
  const { authMethod, publicValue = '', secretValue } = credential
  const proved = { ...request, url, followRedirects: false }
  switch (authMethod) {
    case 'header':
      return { ...proved, headers: put(request.headers, publicValue.trim() || 'Authorization', secretValue) }
    case 'basicAuth':
      return { ...proved, headers: put(request.headers, 'Authorization', basic(publicValue, secretValue)) }
    case 'clientCertificate':
      return { ...proved, clientCert: { cert: publicValue, key: secretValue } }
    case 'queryParam': {
      const asked = new URL(url)
      asked.searchParams.set(publicValue, secretValue)
      return { ...proved, url: asked.href }
    }
  }
}

/** The failure of a request, without the secret that it was sent with. */
export function withoutSecret(error: unknown, used: UsedCredential | undefined): unknown {
  if (!used || !(error instanceof FlowError)) return error
  const { secretValue } = used.credential
  const forms = [
    secretValue,
    encodeURIComponent(secretValue),
    new URLSearchParams({ '': secretValue }).toString().slice(1),
  ]
  return new FlowError(error.code, hide(error.message, forms), { cause: error.cause })
}

// By origin and whole parts of the path: "https://a.com" is no beginning of "https://a.com.example".
function begins(text: string, base: string): boolean {
  const [url, from] = [URL.parse(text), URL.parse(base)]
  if (!url || !from || url.origin !== from.origin || url.username !== '' || url.password !== '') return false
  const path = from.pathname.replace(/\/$/, '')
  return url.pathname === path || url.pathname.startsWith(`${path}/`)
}

function put(headers: Record<string, string>, name: string, value: string): Record<string, string> {
  const others = Object.entries(headers).filter(([one]) => one.toLowerCase() !== name.toLowerCase())
  return { ...Object.fromEntries(others), [name]: value }
}
