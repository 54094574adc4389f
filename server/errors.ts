/**
 * What a caller over HTTP can mend, by code. A code is `area.reason`; `type` is the word that the reply's body names.
 * A test checks that each code is thrown somewhere and that each thrown code stands here.
 */
export const httpErrors = {
  'host.unknown': { status: 404, type: 'NotFound', when: 'No application is served under the host name' },
  'request.path': { status: 400, type: 'Validation', when: 'The path holds a percent-encoding that cannot be decoded' },
  'request.body': { status: 400, type: 'Validation', when: 'The body is not what its content type says' },
  'request.query': {
    status: 400,
    type: 'Validation',
    when: 'The query or form has too many or too long lists of keys',
  },
  'request.encoding': { status: 415, type: 'Unsupported', when: 'The body has an unknown content encoding or charset' },
  'request.too-large': { status: 413, type: 'TooLarge', when: 'The body is larger than the limit' },
  'request.aborted': {
    status: 400,
    type: 'Validation',
    when: 'The client closed the connection before the body ended',
  },
  'request.busy': { status: 503, type: 'Unavailable', when: 'Bodies of other requests take all the memory they may' },
  'request.rate': { status: 429, type: 'RateLimit', when: 'The host got more requests than its limit allows' },
  'endpoint.unauthorized': {
    status: 401,
    type: 'Unauthorized',
    when: 'The endpoint wants a user; no valid token came',
  },
  'endpoint.forbidden': { status: 403, type: 'Forbidden', when: 'The user may not see the endpoint' },
  'webhook.unknown': { status: 404, type: 'NotFound', when: 'No webhook has the token in the path' },
  'webhook.unauthorized': {
    status: 401,
    type: 'Unauthorized',
    when: 'The call does not bring the user name and password that the webhook asks for',
  },
  'webhook.verification': {
    status: 403,
    type: 'Forbidden',
    when: 'The call does not bring what the service that the webhook is for sends',
  },
  'webhook.unsupported': {
    status: 501,
    type: 'NotImplemented',
    when: 'The webhook is of a kind that this server does not serve',
  },
  'webhook.upgrade': {
    status: 426,
    type: 'UpgradeRequired',
    when: 'The webhook takes WebSocket connections, and was called by HTTP',
  },
  'webhook.http': {
    status: 400,
    type: 'Validation',
    when: 'The webhook is called by HTTP, and takes no WebSocket connections',
  },
  'webhook.busy': { status: 503, type: 'Unavailable', when: 'The application has too many WebSocket connections' },
  'reply.timeout': { status: 504, type: 'Timeout', when: 'No flow replied to the request in time' },
  'reply.busy': { status: 503, type: 'Unavailable', when: 'Too many requests wait for a reply already' },
  'reply.stopped': { status: 503, type: 'Unavailable', when: 'The server stops while the request waits for a reply' },
  'store.unavailable': { status: 503, type: 'Unavailable', when: 'The store cannot be reached now' },
  'store.full': { status: 507, type: 'Unavailable', when: 'The disk of the store is full' },
  'file.unknown': { status: 404, type: 'NotFound', when: 'There is no such public file' },
  'file.signature': { status: 403, type: 'Forbidden', when: 'The link to a private file has expired or was changed' },
  'export.unknown': { status: 404, type: 'NotFound', when: 'The user has no such data export' },
  'file.range': { status: 416, type: 'Validation', when: 'The range lies outside the file' },
} as const satisfies Record<string, { status: number; type: string; when: string }>

export type HttpErrorCode = keyof typeof httpErrors

/** A failure that the caller can mend: shown as `{ type, message }` with the status and `headers` of its code. */
export class HttpError extends Error {
  readonly code: HttpErrorCode
  readonly status: number
  readonly type: string
  /** Headers that belong to the answer, such as `retry-after`. */
  readonly headers: Record<string, string>
  constructor(
    code: HttpErrorCode,
    message: string,
    options: { cause?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HttpError'
    this.code = code
    this.status = httpErrors[code].status
    this.type = httpErrors[code].type
    this.headers = options.headers ?? {}
  }
}
