import { FlowError } from '../../engine/errors.ts'
import type { Reply } from '../../nodes/services/reply.ts'
import { type Answer, defaultHeaders, jsonAnswer, putHeader, toJson } from './reply.ts'

const MOST_BYTES = 256 * 1024

const contentTypes = new Set(['application/json', 'application/xml', 'text/plain', 'text/xml', 'text/csv'])

// Webhooks share an origin with what else is served on their host: nothing in a reply may act in a browser there.
const safe = { 'content-security-policy': "default-src 'none'; sandbox", 'x-content-type-options': 'nosniff' }
const refused = new Set([
  ...['set-cookie', 'clear-site-data', 'refresh', 'service-worker-allowed', 'strict-transport-security'],
  ...Object.keys(safe),
])

/**
 * Turns a reply into the answer of a webhook: a body of its own, of a type that no browser runs (else it is called JSON).
 * Throws FlowError `reply.*`.
 */
export function toWebhookAnswer(reply: Reply): Answer {
  if (reply.body.kind !== 'custom') {
    const message = `Expected a reply with a body of its own, because a webhook waits for it, got a ${reply.body.kind}`
    throw new FlowError('reply.unsupported', message)
  }
  const headers: Answer['headers'] = { ...defaultHeaders, ...safe }
  const refuse = (name: string) => {
    throw new FlowError(
      'reply.header',
      `Expected a header that the reply of a webhook may set, got "${name}". Remove it.`,
    )
  }
  if (reply.cookies.length > 0) refuse('set-cookie')
  for (const [name, value] of reply.headers) {
    if (refused.has(name.trim().toLowerCase())) refuse(name)
    putHeader(headers, name, value)
  }
  const type = String(headers['content-type'] ?? '')
  if (!contentTypes.has(type.split(';', 1)[0]!.trim().toLowerCase())) headers['content-type'] = 'application/json'
  const value = reply.body.body ?? ''
  const body = typeof value === 'object' ? toJson(value) : String(value)
  const bytes = Buffer.byteLength(body)
  if (bytes > MOST_BYTES) {
    throw new FlowError('reply.too-large', `Expected a reply of at most ${MOST_BYTES} bytes, got ${bytes}. Send less.`)
  }
  return { status: statusOf(reply.status), headers, body }
}

/** What a webhook answers that does not wait for its flows. */
export function acceptedAnswer(status: number): Answer {
  const answer = jsonAnswer(statusOf(status), { success: true })
  return { ...answer, headers: { ...answer.headers, ...safe } }
}

// A client takes 1xx for a promise of another answer and waits.
function statusOf(status: number | undefined): number {
  return Number.isInteger(status) && status! >= 200 && status! <= 599 ? status! : 200
}
