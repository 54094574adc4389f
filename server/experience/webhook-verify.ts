import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { HttpError } from '../errors.ts'
import type { WebhookDocument } from '../store/documents/experience.ts'
import { type Answer, jsonAnswer } from './reply.ts'
import type { RequestParts, Source } from './request.ts'

/** Throws HttpError `webhook.unauthorized` unless the call brings the name and password that the webhook asks for. */
export function checkBasicAuth(webhook: WebhookDocument, header: string | undefined): void {
  const { basicAuthUsername: user, basicAuthPassword: password } = webhook
  if (user === '' && password === '') return
  const [, packed] = /^basic +(\S+) *$/i.exec(header ?? '') ?? []
  const given = packed === undefined ? '' : Buffer.from(packed, 'base64').toString()
  if (isSame(given, `${user}:${password}`)) return
  throw new HttpError('webhook.unauthorized', 'Expected the user name and password of this webhook', {
    headers: { 'www-authenticate': 'Basic realm="Webhook", charset="UTF-8"' },
  })
}

/**
 * What the service that calls asks of the address: an answer to its question whether the address is ours, before any flow
 * hears of it. Undefined: it is a call for flows. Throws HttpError `webhook.verification` for what that service has not sent.
 */
export function verifyCall(webhook: WebhookDocument, parts: RequestParts, source: Source): Answer | undefined {
  const { verificationType: type, verificationCode: code } = webhook
  const { query, method } = parts
  if (type === 'facebook' && method === 'get' && query['hub.mode'] === 'subscribe') {
    if (!isSame(query['hub.verify_token'], code)) throw refused('the verify token')
    return { ...jsonAnswer(200, ''), body: String(query['hub.challenge'] ?? '').slice(0, 1_000), headers: plain }
  }
  if (type === 'fitbit' && method === 'get' && query.verify !== undefined) {
    // What it asks for: the right code and a wrong one, to be told apart.
    return jsonAnswer(isSame(query.verify, code) ? 204 : 404, {})
  }
  if (type === 'twilio' && !isSame(parts.headers['x-twilio-signature'], twilioSignature(parts, source, code))) {
    throw refused('the signature of Twilio')
  }
  return undefined
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

// The whole address, then the fields of the form in the order of their names, signed with the token of the account.
function twilioSignature({ body }: RequestParts, { host, secure, path, query }: Source, token: string): string {
  const url = `${secure ? 'https' : 'http'}://${host ?? ''}${path}${query === '' ? '' : `?${query}`}`
  const fields = body !== null && typeof body === 'object' ? Object.entries(body) : []
  // Without a token anyone could sign; and nothing is signed of a body that is no form.
  if (token === '' || (body !== null && typeof body !== 'object')) return ''
  const text = fields
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => name + (Array.isArray(value) ? [...new Set(value)].sort().join('') : String(value)))
  return createHmac('sha1', token)
    .update(url + text.join(''))
    .digest('base64')
}

// Constant time, and of one length: neither the length of a guess nor a right part of it shows. Nothing is never the same.
function isSame(given: unknown, wanted: string): boolean {
  if (typeof given !== 'string' || given === '') return false
  return timingSafeEqual(digestOf(given), digestOf(wanted))
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function refused(what: string): HttpError {
  return new HttpError('webhook.verification', `Expected ${what} that belongs to this webhook, got another or none`)
}
