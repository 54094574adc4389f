import { FlowError } from '../../engine/errors.ts'
import type { HttpClient, HttpRequest } from '../../nodes/services/http.ts'
import type { Mail } from '../../nodes/services/mail.ts'
import type { HttpStandIn } from './test-file.ts'

/** A request that a flow has sent, as expectations see it; a body of JSON is its value. */
export interface SentRequest {
  request: string
  headers: Record<string, string>
  body: unknown
}

/** Answers as the case says and reaches nobody. `unanswered` are the requests that the case says nothing of. */
export function httpStandIn(answers: readonly HttpStandIn[]): {
  http: HttpClient
  sent: SentRequest[]
  unanswered: string[]
} {
  const sent: SentRequest[] = []
  const unanswered: string[] = []
  const http: HttpClient = {
    async send({ method, url, headers, body }) {
      const request = `${method.toUpperCase()} ${url}`
      sent.push({ request, headers, body: bodyOf(body) })
      const answer = answers.find((one) => fits(one.request, request, url))
      if (!answer) {
        unanswered.push(request)
        throw new FlowError('http.failed', `The test has no answer to ${request}: add one to its "http"`)
      }
      if (answer.error !== undefined) throw new FlowError('http.failed', answer.error)
      const isText = typeof answer.body === 'string'
      const content = answer.body === undefined ? '' : isText ? answer.body : JSON.stringify(answer.body)
      const type = isText || answer.body === undefined ? {} : { 'content-type': 'application/json' }
      const own = Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
      return {
        status: answer.status ?? 200,
        headers: { ...type, ...Object.fromEntries(own) },
        body: Buffer.from(String(content)),
      }
    },
  }
  return { http, sent, unanswered }
}

function fits(pattern: string, request: string, url: string): boolean {
  const whole = /^[A-Za-z]+ /.test(pattern)
  const wanted = whole ? pattern.replace(/^[A-Za-z]+/, (method) => method.toUpperCase()) : pattern
  const given = whole ? request : url
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted
}

function bodyOf(body: HttpRequest['body']): unknown {
  if (body === undefined) return undefined
  const text = typeof body === 'string' ? body : Buffer.from(body).toString()
  try {
    return JSON.parse(text)
  } catch {
    // Text is compared as it stands.
    return text
  }
}

export type SentMail = Parameters<Mail['send']>[0]

/** Puts into `sent` what the real service takes: its rules and its limit hold here, too. */
export function recordedMail(real: Mail, sent: SentMail[]): Mail {
  return {
    async send(mail) {
      await real.send(mail)
      sent.push(structuredClone(mail))
    },
  }
}
