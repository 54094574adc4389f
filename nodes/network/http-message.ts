import { FlowError } from '../../engine/errors.ts'
import { parseJsonText } from '../../engine/json-text.ts'
import type { Payload } from '../../engine/payload.ts'
import { printValue } from '../../engine/template.ts'
import { copyBounded, MOST_BYTES } from '../bounds.ts'
import type { HttpRequest, HttpResponse } from '../services/http.ts'

/** The settings of an HTTP node that make a request. */
export interface HttpSettings {
  method: string
  url: string
  headers: { name: string; value: string }[]
  bodyType: 'string' | 'none' | 'jsonTemplate' | 'urlencoded' | 'multipart' | 'url'
  body(): unknown
  fields(): { name: string; value: string }[]
  bodyEncoding: string
  auth: 'none' | 'basic' | 'clientCert' | 'credential'
  credentials: { user: string; password: string; key: string; cert: string }
  caCert: string
  skipTlsCheck: boolean
  skipRedirects: boolean
  seconds: number
  encoding: string
}

interface Body {
  bytes: Uint8Array
  /** Undefined: the author says it, or nobody. */
  type: string | undefined
}

/** What a request is made of. `signal` is left to the one who sends it. */
export type RequestParts = Omit<HttpRequest, 'signal'>

const MOST_SECONDS = 30
const MOST_HEADER_CHARS = 65_536
// What belongs to the connection is not the author's to say; the length is counted.
const connectionHeaders = new Set([
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
])

/** Turns settings into a request. `download` gets the body that a URL names. Throws `http.request`. */
export async function toRequest(
  settings: HttpSettings,
  download: (request: RequestParts) => Promise<HttpResponse>,
): Promise<RequestParts> {
  checkEncoding(settings.bodyEncoding, 'Encoding of the body')
  checkEncoding(settings.encoding, 'Encoding of the answer')
  bounded(settings.headers, MOST_HEADER_CHARS, 'Headers')
  const parts = partsOf(settings)
  if (settings.method === 'GET' || settings.method === 'HEAD') return parts
  const body = await bodyOf(settings, (url) => download({ ...parts, method: 'GET', headers: {}, url }))
  if (!body) return parts
  const typed = body.type !== undefined && !nameOf(parts.headers, 'content-type')
  const headers = typed ? { ...parts.headers, 'content-type': body.type! } : parts.headers
  return { ...parts, headers, body: body.bytes }
}

/** The answer as the payload shows it: a body that is JSON, of whatever content type, as its value. */
export function toResponse({ status, headers, body }: HttpResponse, encoding: string): Payload {
  return { statusCode: status, headers: Object.fromEntries(Object.entries(headers)), body: decodeBody(body, encoding) }
}

/** What was asked, as the payload shows it: without the secrets that open a door. */
export function describeRequest(settings: HttpSettings): Payload {
  const headers = headersOf(settings)
  for (const name of Object.keys(headers)) {
    if (/^(proxy-)?authorization$|^cookie$/i.test(name)) headers[name] = '*****REDACTED*****'
  }
  return { method: settings.method, uri: withoutPassword(settings.url.trim()), headers }
}

function partsOf(settings: HttpSettings): RequestParts {
  const { method, url, seconds, caCert, credentials } = settings
  return {
    method,
    url: url.trim(),
    headers: headersOf(settings),
    timeoutMs: 1000 * (seconds > 0 ? Math.min(MOST_SECONDS, seconds) : MOST_SECONDS),
    followRedirects: !settings.skipRedirects,
    verifyTls: !settings.skipTlsCheck,
    ...(caCert.trim() === '' ? {} : { caCert }),
    ...(settings.auth === 'clientCert' ? { clientCert: { cert: credentials.cert, key: credentials.key } } : {}),
  }
}

function headersOf({ headers, auth, credentials }: HttpSettings): Record<string, string> {
  const entries = new Map<string, [name: string, value: string]>([['user-agent', ['user-agent', 'headgate']]])
  for (const { name, value } of headers) {
    const trimmed = name.trim()
    if (trimmed !== '' && !connectionHeaders.has(trimmed.toLowerCase())) {
      entries.set(trimmed.toLowerCase(), [trimmed, value.trim()])
    }
  }
  if (auth === 'basic') {
    const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')
    entries.set('authorization', ['Authorization', `Basic ${pair}`])
  }
  return Object.fromEntries(entries.values())
}

async function bodyOf(
  settings: HttpSettings,
  download: (url: string) => Promise<HttpResponse>,
): Promise<Body | undefined> {
  switch (settings.bodyType) {
    case 'none':
      return undefined
    case 'string': {
      const text = printValue(settings.body())
      return text === '' ? undefined : { bytes: encode(text, settings.bodyEncoding), type: undefined }
    }
    case 'jsonTemplate': {
      const text: string | undefined = JSON.stringify(settings.body())
      return text === undefined ? undefined : { bytes: Buffer.from(text), type: 'application/json' }
    }
    case 'urlencoded': {
      const fields = bounded(settings.fields(), MOST_BYTES, 'Form fields')
      const form = new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, value]))
      return { bytes: Buffer.from(form.toString()), type: 'application/x-www-form-urlencoded' }
    }
    case 'multipart': {
      const form = new FormData()
      for (const { name, value } of bounded(settings.fields(), MOST_BYTES, 'Form fields')) form.append(name, value)
      const encoded = new Response(form)
      return { bytes: await encoded.bytes(), type: encoded.headers.get('content-type') ?? undefined }
    }
    case 'url': {
      const answer = await download(printValue(settings.body()).trim())
      if (answer.status >= 400) {
        throw new FlowError('http.failed', `Expected the body from its URL, got status ${answer.status}`)
      }
      return { bytes: answer.body, type: firstOf(answer.headers['content-type']) }
    }
  }
}

// One large value may be named a thousand times: what it would make is not made.
function bounded<T extends { name: string; value: string }>(entries: T[], most: number, label: string): T[] {
  const chars = entries.reduce((sum, { name, value }) => sum + name.length + value.length, 0)
  if (chars <= most) return entries
  throw new FlowError('http.request', `Expected "${label}" of at most ${most} characters in all, got ${chars}`)
}

function decodeBody(body: Uint8Array, encoding: string): unknown {
  const name = normal(encoding)
  if (name === 'base64' || name === 'base64url' || name === 'hex') return Buffer.from(body).toString(name)
  const text = name === 'utf8' ? new TextDecoder().decode(body) : Buffer.from(body).toString(name)
  try {
    return copyBounded(parseJsonText(text))
  } catch (error) {
    // Not JSON: it is text.
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function encode(text: string, encoding: string): Uint8Array {
  return Buffer.from(text, normal(encoding))
}

function checkEncoding(encoding: string, label: string): void {
  if (Buffer.isEncoding(normal(encoding))) return
  throw new FlowError(
    'http.request',
    `Expected "${label}" to be an encoding such as utf8 or base64, got "${encoding.slice(0, 50)}"`,
  )
}

function normal(encoding: string): BufferEncoding {
  const name = encoding.trim().toLowerCase()
  return (name === 'utf-8' || name === '' ? 'utf8' : name) as BufferEncoding
}

function nameOf(headers: Record<string, string>, name: string): string | undefined {
  return Object.keys(headers).find((one) => one.toLowerCase() === name)
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function withoutPassword(text: string): string {
  if (!URL.canParse(text)) return text.slice(0, 2_000)
  const url = new URL(text)
  if (url.password === '') return text
  url.password = ''
  return url.href
}
