import { FlowError } from '../../engine/errors.ts'
import { parseJsonText } from '../../engine/json-text.ts'
import { copyBounded } from '../bounds.ts'
import type { HttpClient, HttpResponse } from '../services/http.ts'
import { Refusal } from '../services/listing.ts'

/** One request to a service of someone else. */
export interface ProviderRequest {
  /** As the author knows it: `Twilio`. */
  name: string
  http: HttpClient
  method?: string
  url: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Whatever must not be read in a message, should the provider or the way there repeat it. */
  secrets: readonly string[]
  signal: AbortSignal
}

const MOST_MS = 30_000
const MOST_CHARS = 500

/**
 * Asks a provider and gives the answer, whose status is below 300. Redirects are not followed: a key is for one host. Throws Refusal for
 * any other answer and for none, with what the provider said about it.
 */
export async function askProvider(request: ProviderRequest): Promise<HttpResponse> {
  const { name, http, method = 'POST', url, headers = {}, body, signal } = request
  const answer = await http
    .send({
      method,
      url,
      headers: { 'user-agent': 'headgate', ...headers },
      ...(body === undefined ? {} : { body }),
      ...{ timeoutMs: MOST_MS, followRedirects: false, verifyTls: true, signal },
    })
    .catch((error: unknown) => {
      if (!(error instanceof FlowError) || !error.code.startsWith('http.')) throw error
      throw new Refusal('Unavailable', hide(`${name} cannot be reached: ${error.message}`, request.secrets))
    })
  if (answer.status < 300) return answer
  const said = hide(reasonOf(bodyOf(answer)), request.secrets)
  throw new Refusal(typeOf(answer.status), `${name} answered ${answer.status}${said === '' ? '' : `: ${said}`}`)
}

/** The body of an answer: JSON as its value, anything else as text. */
export function bodyOf({ body }: HttpResponse): unknown {
  const text = new TextDecoder().decode(body)
  try {
    return copyBounded(parseJsonText(text))
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

/** Throws `config.empty` for a setting that is blank: one that is needed unless another one stands. */
export function needed(label: string, text: string): string {
  const trimmed = text.trim()
  if (trimmed !== '') return trimmed
  throw new FlowError(
    'config.empty',
    `Expected "${label}" to render to some text, got nothing. Check its template and the payload.`,
  )
}

/** The value of an Authorization header with a user name and a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** A text without any of the secrets in it. */
export function hide(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length > 3)
    .reduce((shown, secret) => shown.replaceAll(secret, '*****'), text)
    .slice(0, MOST_CHARS)
}

/** What a provider says is wrong, in the shapes that are usual: `message`, `errors[].message`, XML with `<Message>`, or text. */
function reasonOf(body: unknown): string {
  if (typeof body === 'string')
    return (/<Message>([^<]*)<\/Message>/.exec(body)?.[1] ?? body).trim().slice(0, MOST_CHARS)
  if (body === null || typeof body !== 'object') return ''
  const { errors, message, error } = body as Record<string, unknown>
  if (Array.isArray(errors)) return errors.map(reasonOf).filter(Boolean).join('; ')
  return [message, error].find((one) => typeof one === 'string') ?? ''
}

function typeOf(status: number): Refusal['type'] {
  if (status === 404) return 'NotFound'
  if (status === 429) return 'RateLimit'
  return status >= 500 ? 'Unavailable' : 'Validation'
}
