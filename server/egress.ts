import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Agent } from 'undici'
import { FlowError } from '../engine/errors.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../nodes/services/http.ts'
import { readBody } from './egress-body.ts'
import { type Guard, type GuardOptions, openGuard, type TlsOptions } from './egress-guard.ts'
import { locationOf, nextRequest, toUrl } from './egress-redirect.ts'

export interface EgressOptions extends GuardOptions {
  /** Most bytes of an answer, packed and unpacked. Default 5 MB. */
  mostBytes?: number
}

const MOST_MS = 30_000
const MOST_REDIRECTS = 10

/**
 * The HTTP client of flows, whose URLs are someone else's. Connects to public addresses only: what is checked is the
 * address that is connected to, for each request and each redirect. At most 10 redirects; the timeout covers them all
 * and is 30 seconds at most. Rejects with FlowErrors `http.*`, or with the reason of the signal. Whoever opens it closes
 * it; requests under way then fail.
 */
export function openEgress(options: EgressOptions = {}): HttpClient & { close(): Promise<void> } {
  const { mostBytes = 5 << 20, ...rest } = options
  const guard = openGuard(rest)
  let shared: Promise<Agent> | undefined
  let closed = false

  return {
    async send(request) {
      const timeout = AbortSignal.timeout(Math.max(1, Math.min(request.timeoutMs, MOST_MS)))
      const agents: Agent[] = []
      // A request with certificates of its own shares its connections with no other.
      const agentFor = async (one: HttpRequest) => {
        if (closed) throw new FlowError('http.failed', 'The request was not sent: the server is stopping')
        const tls = tlsOf(one)
        if (!tls) {
          shared ??= guard.openAgent({})
          return await shared
        }
        const agent = await guard.openAgent(tls)
        agents.push(agent)
        return agent
      }
      try {
        const signal = AbortSignal.any([request.signal, timeout])
        return await follow({ ...request, signal }, { guard, agentFor, mostBytes })
      } catch (error) {
        request.signal.throwIfAborted()
        throw timeout.aborted ? tooSlow(request, error) : toFlowError(error)
      } finally {
        await Promise.all(agents.map((agent) => agent.destroy()))
      }
    },
    async close() {
      closed = true
      await (await shared)?.destroy()
    },
  }
}

interface Tools {
  guard: Guard
  agentFor(request: HttpRequest): Promise<Agent>
  mostBytes: number
}

async function follow(first: HttpRequest, { guard, agentFor, mostBytes }: Tools): Promise<HttpResponse> {
  let request = withoutUserInfo(first)
  for (let redirects = 0; ; redirects++) {
    const from = toUrl(request.url)
    guard.checkUrl(from)
    const { method, headers, body, signal } = request
    const agent = await agentFor(request)
    const answer = await agent.request({
      origin: from.origin,
      path: from.pathname + from.search,
      method: method as 'GET',
      headers,
      ...(body === undefined ? {} : { body }),
      signal,
    })
    const status = answer.statusCode
    const location = request.followRedirects ? locationOf(status, answer.headers) : undefined
    if (location === undefined) {
      const encoding = answer.headers['content-encoding']
      const bytes = await readBody(answer.body, { encoding, mostBytes })
      return { status, headers: answer.headers as HttpResponse['headers'], body: bytes }
    }
    await answer.body.dump({ limit: mostBytes })
    if (redirects === MOST_REDIRECTS) {
      throw new FlowError('http.redirects', `Expected at most ${MOST_REDIRECTS} redirects, got one more`)
    }
    request = nextRequest(request, { from, location, status })
  }
}

// `https://user:password@host/` says it in a header.
function withoutUserInfo(request: HttpRequest): HttpRequest {
  const url = toUrl(request.url)
  if (url.username === '' && url.password === '') return request
  const pair = [url.username, url.password].map(decode).join(':')
  const named = Object.keys(request.headers).some((name) => name.toLowerCase() === 'authorization')
  url.username = ''
  url.password = ''
  const headers = named
    ? request.headers
    : { ...request.headers, authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  return { ...request, url: url.href, headers }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone percent sign stands for itself.
    return text
  }
}

function tlsOf({ verifyTls, caCert, clientCert }: HttpRequest): TlsOptions | undefined {
  if (verifyTls && caCert === undefined && clientCert === undefined) return undefined
  const tls: TlsOptions = {
    ...(verifyTls ? {} : { rejectUnauthorized: false }),
    ...(caCert === undefined ? {} : { ca: caCert }),
    ...clientCert,
  }
  try {
    // A text that is no certificate would be an empty list of authorities.
    if (caCert !== undefined) new X509Certificate(caCert)
    createSecureContext(tls)
    return tls
  } catch (cause) {
    throw new FlowError('http.request', 'Expected certificates and a key in PEM form, got something else', { cause })
  }
}

function tooSlow(request: HttpRequest, cause: unknown): FlowError {
  const seconds = Math.min(request.timeoutMs, MOST_MS) / 1000
  return new FlowError('http.timeout', `Expected an answer within ${seconds} seconds, got none`, { cause })
}

// What is wrong with the request is for its author to mend; so is a server that does not answer.
function toFlowError(error: unknown): unknown {
  if (error instanceof FlowError) return error
  const cause = error instanceof Error ? error : new Error(String(error))
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'UND_ERR_INVALID_ARG') {
    return new FlowError('http.request', `The request cannot be sent: ${cause.message}`, { cause })
  }
  return new FlowError('http.failed', `The request got no answer: ${code ?? cause.message}`, { cause })
}
