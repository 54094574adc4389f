import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { parseCookie } from 'cookie'
import { copyValue, type Payload } from '../../engine/payload.ts'
import { HttpError } from '../errors.ts'
import { readBody } from './body.ts'
import { parseForm } from './form.ts'
import type { PartStyle } from './multipart.ts'

/** Where a request came from and was meant to go, as far as the proxies on its way can be believed. */
export interface Source {
  host: string | undefined
  /** True when the client spoke TLS. */
  secure: boolean
  /** Of the nearest client that is not a trusted proxy. */
  address: string
  path: string
  /** Without the question mark; empty when there is none. */
  query: string
}

/** A request as flows and pages see it; all its values are its own. */
export interface RequestParts {
  /** Lower case. */
  method: string
  /** As sent: still percent-encoded, without the query. */
  path: string
  params: Payload
  query: Payload
  /** Names in lower case; `host`, `x-forwarded-proto` and `x-forwarded-for` are always there. */
  headers: Payload
  cookies: Payload
  /** Null when there is none. */
  body: unknown
  /** What the body was parsed from, where it is an object of JSON; no template sees it. */
  [BODY_TEXT]?: string
}

const BODY_TEXT = Symbol('body text')

/**
 * The request with a body of its own, for pages: what a flow makes of the one that it is given, they do not show. A body of
 * JSON is parsed again when a page asks for it, which few do.
 */
export function requestSeen(request: RequestParts): Payload {
  const { body, [BODY_TEXT]: json, ...rest } = request
  if (json === undefined) return { ...rest, body: copyValue(body) }
  return Object.defineProperty({ ...rest, [BODY_TEXT]: json }, 'body', bodyParsedAgain)
}

// One for all requests: with a getter of its own each would have a hidden class of its own, too.
const bodyParsedAgain: PropertyDescriptor & ThisType<{ [BODY_TEXT]: string }> = {
  enumerable: true,
  configurable: true,
  get() {
    const value: unknown = JSON.parse(this[BODY_TEXT])
    Object.defineProperty(this, 'body', { value, enumerable: true })
    return value
  },
}

/** Reads where requests come from. `x-forwarded-*` headers count when they come from an address in `trustedProxies`. */
export function openSources(options: { trustedProxies: readonly string[]; publicUrl?: string }): {
  of(request: IncomingMessage): Source
} {
  const proxies = new BlockList()
  for (const proxy of options.trustedProxies) addProxy(proxies, proxy)
  const publicIsSecure = options.publicUrl?.startsWith('https:') ?? false
  const publicPort = options.publicUrl === undefined ? undefined : new URL(options.publicUrl).port
  // Pages and mails link to the host that was asked: a port that only the client has thought of must not get into them.
  const atPublicPort = (host: string | undefined) =>
    publicPort === undefined ? host : host?.replace(/:\d*$/, '').concat(publicPort === '' ? '' : `:${publicPort}`)
  const trusts = (address: string) => proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  const anyProxy = options.trustedProxies.length > 0

  return {
    of(request) {
      const { path, query } = splitUrl(request.url ?? '/')
      const { headers } = request
      const remote = addressOf(request.socket)
      if (!anyProxy || remote === '' || !trusts(remote)) {
        const secure = (request.socket as TLSSocket).encrypted === true || publicIsSecure
        return { host: atPublicPort(singleHost(request)), secure, address: remote, path, query }
      }
      const chain = textOf(headers['x-forwarded-for'])
        .split(',')
        .map((one) => one.trim())
        .filter((one) => isIP(one) > 0)
      const address = chain.findLast((one) => !trusts(one)) ?? chain[0] ?? remote
      const scheme = firstOf(headers['x-forwarded-proto']) || (publicIsSecure ? 'https' : 'http')
      const host = atPublicPort(firstOf(headers['x-forwarded-host']) || singleHost(request))
      return { host, secure: scheme.toLowerCase() === 'https', address, path, query }
    },
  }
}

/** Reads the parts of a request. Throws HttpError `request.*`. */
export async function readRequest(
  request: IncomingMessage,
  source: Source,
  limits: { bodyBytes: number; style?: PartStyle },
  /** Told how much of the body has come; may throw to refuse the rest. */
  onBytes: (bytes: number) => void = () => undefined,
): Promise<RequestParts> {
  const { headers } = request
  // Assigned, not spread: a cookie named __proto__ falls away, as such a key of a query does.
  const cookies: Payload = Object.assign({}, headers.cookie === undefined ? {} : parseCookie(headers.cookie))
  const { value, json } = await readBody(request, limits.bodyBytes, onBytes, limits.style)
  return {
    method: (request.method ?? 'GET').toLowerCase(),
    path: source.path,
    params: {},
    query: parseForm(source.query),
    headers: headersOf(headers, source),
    cookies,
    body: value,
    [BODY_TEXT]: json,
  }
}

// What a client may say about itself is replaced by what is known: pages build absolute links from these.
function headersOf(headers: IncomingMessage['headers'], source: Source): Payload {
  const copy: Payload = { ...headers }
  copy.host = source.host ?? ''
  copy['x-forwarded-proto'] = source.secure ? 'https' : 'http'
  copy['x-forwarded-for'] = source.address
  if (copy['x-forwarded-host'] !== undefined) copy['x-forwarded-host'] = copy.host
  return copy
}

// A request line may also hold a whole URL, or "*".
function splitUrl(url: string): { path: string; query: string } {
  const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '')
  const end = local.search(/[?#]/)
  const path = (end < 0 ? local : local.slice(0, end)) || '/'
  if (!path.startsWith('/')) {
    throw new HttpError('request.path', `Expected a path that starts with "/", got "${path.slice(0, 100)}"`)
  }
  const query = end < 0 || local[end] === '#' ? '' : local.slice(end + 1).split('#', 1)[0]!
  return { path, query }
}

// Two Host headers are two minds about where the request goes; whoever stands before us may have read the other one.
function singleHost({ rawHeaders, headers }: IncomingMessage): string | undefined {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count === 1 ? headers.host : undefined
}

function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  // A dual-stack socket shows IPv4 clients as IPv6.
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address
}

function addProxy(list: BlockList, proxy: string): void {
  const [address = '', bits] = proxy.split('/')
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined) list.addAddress(address, family)
  else list.addSubnet(address, Number(bits), family)
}

function textOf(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '')
}

function firstOf(header: string | string[] | undefined): string {
  return textOf(header).split(',', 1)[0]!.trim()
}
