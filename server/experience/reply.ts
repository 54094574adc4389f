import { validateHeaderName, validateHeaderValue } from 'node:http'
import { FlowError } from '../../engine/errors.ts'
import type { Payload } from '../../engine/payload.ts'
import type { Reply } from '../../nodes/services/reply.ts'
import { toSetCookie } from './cookies.ts'
import type { Definitions } from './definitions.ts'

/** An answer as HTTP has it. */
export interface Answer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  body: string
}

/** What an answer depends on beside the reply. */
export interface AnswerContext {
  definitions: Pick<Definitions, 'views' | 'responseHeaders'>
  /** True when the client spoke TLS. */
  secure: boolean
  /** What pages are rendered with; `pageData` is added. */
  view: Payload
}

/**
 * Turns a reply into an answer: renders its page, checks its headers and cookies. Defaults come first, then the headers
 * of the version, of the page and of the reply; of one name the last wins. Throws FlowError `reply.*`, `view.*` or
 * `template.*`.
 */
export function toAnswer(reply: Reply, context: AnswerContext): Answer {
  const { definitions, secure } = context
  const headers: Answer['headers'] = { ...defaultHeaders }
  const { body, contentType, location } = toBody(reply, context)
  if (contentType !== undefined) headers['content-type'] = contentType
  for (const [name, value] of definitions.responseHeaders) putHeader(headers, name, value)
  // The page knows what it is better than the version does.
  if (contentType !== undefined && reply.body.kind === 'page') putHeader(headers, 'content-type', contentType)
  for (const [name, value] of reply.headers) putHeader(headers, name, value)
  for (const cookie of reply.cookies) {
    addSetCookie(headers, toSetCookie(cookie, { sameSite: reply.sameSite, secure }))
  }
  if (location !== undefined) headers.location = location
  checkHeaderSize(headers)
  return { status: statusOf(reply), headers, body }
}

/** An answer in JSON that no author wrote: `{ type, message }` of a failure and the like. */
export function jsonAnswer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { ...defaultHeaders, 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  }
}

/** Percent-encodes what a URL may not hold, and nothing twice. Relative targets stay relative. */
export function encodeLocation(target: string): string {
  return target
    .trim()
    .toWellFormed()
    .replace(/[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+|%(?![0-9a-f]{2})/gi, encodeURIComponent)
}

const HTML = 'text/html; charset=utf-8'

/** What every answer has that says nothing else. */
export const defaultHeaders: Record<string, string> = {
  'cache-control': 'no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
  'x-xss-protection': '1; mode=block',
}

function toBody(reply: Reply, context: AnswerContext): { body: string; contentType?: string; location?: string } {
  const { body } = reply
  if (body.kind === 'page') {
    const { pageId, layoutId, data } = body
    const view = data === undefined ? context.view : { ...context.view, pageData: data }
    const { html, contentType } = context.definitions.views.render({ pageId, layoutId, context: view })
    return { body: html, contentType: contentType === 'text/html' ? HTML : contentType }
  }
  if (body.kind === 'redirect') {
    const location = encodeLocation(body.location)
    if (location === '') throw new FlowError('reply.location', 'Expected a target to redirect to, got nothing')
    return { body: '', location }
  }
  const value = body.body
  if (value === undefined || value === null) return { body: '' }
  if (typeof value !== 'object') return { body: String(value), contentType: HTML }
  return { body: toJson(value), contentType: 'application/json' }
}

/** JSON text of a reply's body. Throws FlowError `reply.body` for what JSON cannot hold. */
export function toJson(value: object): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    const reason = (cause as Error).message.split('\n', 1)[0]
    throw new FlowError('reply.body', `Expected a reply that JSON can hold: ${reason}`, { cause })
  }
}

function statusOf(reply: Reply): number {
  const status = reply.status ?? 0
  if (reply.body.kind === 'redirect') return redirects.has(status) ? status : 302
  // A client takes 1xx for a promise of another answer and waits.
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : 200
}

const redirects = new Set([301, 302, 303, 307, 308])

// They belong to the connection, not to the reply; the server sets them.
const hopByHop = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'content-length'],
])

/** Sets a header that an author wrote, by its name in lower case. Throws FlowError `reply.header`. */
export function putHeader(headers: Answer['headers'], written: string, value: string): void {
  const name = written.trim().toLowerCase()
  if (name === '') return
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch (cause) {
    const what = `"${name.slice(0, 100)}": ${JSON.stringify(value.slice(0, 100))}`
    throw new FlowError('reply.header', `Expected a header without line breaks and unusual characters, got ${what}`, {
      cause,
    })
  }
  if (hopByHop.has(name)) {
    throw new FlowError('reply.header', `Expected a header that a reply may set, got "${name}". Remove it.`)
  }
  if (name === 'set-cookie') addSetCookie(headers, value)
  else headers[name] = value
}

// Most clients and proxies break off above it, without a word to anyone.
const MOST_HEADER_BYTES = 15_000

function checkHeaderSize(headers: Answer['headers']): void {
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) bytes += name.length + one.length + 4
  }
  if (bytes <= MOST_HEADER_BYTES) return
  const message = `Expected at most ${MOST_HEADER_BYTES} bytes of headers and cookies in a reply, got ${bytes}. Put less into them.`
  throw new FlowError('reply.header', message)
}

function addSetCookie(headers: Answer['headers'], cookie: string): void {
  const list = headers['set-cookie']
  if (Array.isArray(list)) list.push(cookie)
  else headers['set-cookie'] = [cookie]
}
