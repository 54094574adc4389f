import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { FlowError } from '../../engine/errors.ts'
import type { Payload } from '../../engine/payload.ts'
import { enterTurn } from '../../engine/turns.ts'
import type { DeviceView } from '../../nodes/services/devices.ts'
import type { Tenancy } from '../../nodes/services/people.ts'
import { HttpError } from '../errors.ts'
import { EXPORTS_PREFIX } from '../jobs/export-document.ts'
import { storeFailure } from '../outage.ts'
import type { Happened } from '../resources/happenings.ts'
import type { AppStore, Store } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { checkAccess } from './access.ts'
import { corsHeaders, preflightHeaders } from './cors.ts'
import { type Definitions, type EndpointRoute, openDefinitions } from './definitions.ts'
import { answerDownload } from './downloads.ts'
import { type EndpointEvent, toEvent, toView } from './event.ts'
import { FILES_PREFIX, openFileLinks, serveFile } from './files.ts'
import { openHosts } from './host.ts'
import { defaultLimits, type ExperienceLimits, openRateLimit } from './limits.ts'
import { openReplyDesk, type ReplyDesk, timeoutAnswer } from './replies.ts'
import { type Answer, type AnswerContext, jsonAnswer, toAnswer } from './reply.ts'
import { openSources, type RequestParts, readRequest, type Source } from './request.ts'
import { type Hold, memoryOf, openRoom } from './room.ts'
import { findSession, type Session } from './session.ts'
import type { DashboardArgs } from './view-helpers.ts'
import {
  defaultWebhookLimits,
  openWebhooks,
  WEBHOOKS_PREFIX,
  type WebhookEvent,
  type WebhookLimits,
} from './webhooks.ts'

export interface ExperienceDeps {
  store: Store
  /** Milliseconds since the epoch. */
  now(): number
  /** Slugs are served at `<slug>.<baseDomain>`. */
  baseDomain: string
  /** Where clients reach the server; with `https:` every request counts as TLS. */
  publicUrl?: string
  /** Addresses and subnets whose `x-forwarded-*` headers are believed; default none. */
  trustedProxies?: readonly string[]
  limits?: Partial<ExperienceLimits>
  /** The session of a token; undefined when it is not valid now. */
  session(scope: Scope, token: string): Promise<Session | undefined>
  tenancy(scope: Scope): Pick<Tenancy, 'verify' | 'verifyGroup'>
  device(scope: Scope, id: string): Promise<DeviceView | undefined>
  /** Starts the flows that listen; resolves with how many were started, without waiting for their end. */
  fire(event: EndpointEvent): Promise<number>
  /** The same for calls of webhooks. */
  fireWebhook(event: WebhookEvent): Promise<number>
  webhookLimits?: Partial<WebhookLimits>
  /** Told of the files whose content comes from outside; default nobody. Never rejects. */
  happened?(app: AppStore, ...what: Parameters<Happened>): Promise<void>
  /** Markup that shows a dashboard of an application in a page; default none. */
  dashboard?(scope: Scope, args: DashboardArgs): string
  log: Logger
}

export interface Experience {
  /** Answers requests to the hosts of applications; unknown hosts get 404. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  replies: ReplyDesk
  /** Answers what still waits with 503. */
  close(): Promise<void>
}

/** Serves the experiences of all applications. This file is the way of a request, from its host to its answer. */
export function openExperience(deps: ExperienceDeps): Experience {
  const { store, now, log } = deps
  const limits = { ...defaultLimits, ...deps.limits }
  const sources = openSources({ trustedProxies: deps.trustedProxies ?? [], publicUrl: deps.publicUrl })
  const hosts = openHosts({ store, baseDomain: deps.baseDomain, now })
  const rate = openRateLimit(limits)
  const room = openRoom(limits)
  const definitionsOf = openDefinitions({
    viewOptions: (app) => ({
      ...openFileLinks({ id: app.store.scope.application, secret: app.secret, now }),
      dashboard: (args) => deps.dashboard?.(app.store.scope, args) ?? '',
    }),
  })
  const desk = openReplyDesk({
    limits,
    async viewsOf(scope, version) {
      const definitions = await definitionsOf.of(store.app(scope), version)
      if (definitions) return definitions.views
      throw new FlowError('view.missing', `Expected the name of an experience version, got "${version}"`)
    },
  })

  const webhooks = openWebhooks({
    ...{ room, desk, now, log },
    limits: { ...defaultWebhookLimits, ...deps.webhookLimits },
    application: async (id) => {
      const found = await hosts.application(id)
      return found && { app: found.store }
    },
    fire: deps.fireWebhook,
  })

  /** Undefined: the client has gone, or the answer is written already. What every answer carries goes to `shared`. */
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    shared: Record<string, string>,
  ): Promise<Answer | undefined> {
    const time = now()
    const requestId = shared['x-request-id']!
    const source = sources.of(request)
    if (source.secure) shared['strict-transport-security'] = 'max-age=31536000'
    const host = await hosts.find(source.host)
    if (source.path.startsWith(WEBHOOKS_PREFIX)) {
      // What no webhook of the application has may still be an endpoint of its author.
      const call = await webhooks.find(source.path, host && { app: host.store })
      if (call) return webhooks.answer(call, request, response, source)
      if (!host) throw new HttpError('webhook.unknown', 'There is no webhook at this address')
    }
    if (!host) throw unknownHost()
    if (source.path.startsWith(FILES_PREFIX)) {
      const happened: Happened | undefined = deps.happened && ((what, by) => deps.happened!(host.store, what, by))
      if (request.method === 'POST') await rate.take(host.name)
      const hold = room.open(scopeKey(host.scope))
      await serveFile(request, response, { ...source, store: host.store, now: time, requestId, happened, hold })
      return undefined
    }
    const taken = rate.take(host.name)
    if (taken) await taken
    const definitions = await definitionsOf.of(host.store, host.version)
    if (!definitions) throw unknownHost()
    if (definitions.cors) Object.assign(shared, corsHeaders(definitions.corsOrigins, request.headers.origin))
    if (isPreflight(request, source, definitions)) {
      return { status: 204, headers: preflightHeaders(request.headers), body: '' }
    }
    const hold = room.open(scopeKey(host.scope))
    response.once('close', hold.share())
    const parts = await readRequest(request, source, limits, (bytes) => hold.set(bytes))
    hold.set(memoryOf(parts.body))
    const match = definitions.router.match(parts.method, parts.path)
    if (match) parts.params = match.params
    const session = await findSession(parts, (token) => deps.session(host.scope, token))
    const exchange = { definitions, parts, source, time, requestId, session, hold }
    // Templates and flows of the application come next; what it did before may have kept the thread from others.
    const turn = enterTurn(scopeKey(host.scope))
    if (turn) await turn
    if (source.path.startsWith(EXPORTS_PREFIX)) {
      const context = contextOf(exchange, toView(definitions, parts, exchange))
      // An endpoint with the route of downloads is never run: it only says what a visitor without a session gets.
      const replies = { ...definitions, unauthorized: match?.value.unauthorized ?? definitions.unauthorized }
      const asked = { store: host.store, path: source.path, session, definitions: replies, context }
      return answerDownload(request, response, { ...asked, now: time, headers: shared })
    }
    if (!match) return notFound(exchange)
    const route = match.value
    const view = () => toView(definitions, parts, { time, route, session })
    const verdict = await checkAccess(route, session?.user, view, {
      tenancy: deps.tenancy(host.scope),
      device: (id) => deps.device(host.scope, id),
    })
    if (!verdict.passes) return unauthorized(exchange, route, verdict.status)
    return run({ ...exchange, device: verdict.device }, route, response)
  }

  async function run(exchange: Exchange, route: EndpointRoute, response: ServerResponse): Promise<Answer | undefined> {
    const { definitions, parts, requestId } = exchange
    const about = { ...exchange, route }
    const view = toView(definitions, parts, about)
    const event = toEvent(definitions, parts, { ...about, context: view })
    const context = contextOf(exchange, view)
    if (route.staticReply) {
      startAside(event, exchange)
      return toAnswer(route.staticReply(view, 200), context)
    }
    const { scope, replyId } = event
    const onTimeout = () => log.warn({ requestId, ...scope, endpoint: route.endpoint.id }, 'no flow replied in time')
    const waiting = desk.wait({ scope, replyId, context, onTimeout })
    response.once('close', () => waiting.settle(undefined))
    if (response.destroyed) waiting.settle(undefined)
    try {
      if ((await fire(event, exchange)) === 0) {
        log.warn({ requestId, ...scope, endpoint: route.endpoint.id }, 'no flow listens to the endpoint')
        waiting.settle(timeoutAnswer(undefined))
      }
    } catch (error) {
      waiting.settle(undefined)
      throw error
    }
    return waiting.answer
  }

  async function notFound(exchange: Exchange): Promise<Answer> {
    const { definitions, parts } = exchange
    const view = toView(definitions, parts, exchange)
    startAside(toEvent(definitions, parts, { ...exchange, context: view }), exchange)
    if (definitions.notFound) return toAnswer(definitions.notFound(view, 404), contextOf(exchange, view))
    return jsonAnswer(404, { error: 'No endpoint found for route' })
  }

  async function unauthorized(exchange: Exchange, route: EndpointRoute, status: 401 | 403): Promise<Answer> {
    const { definitions, parts } = exchange
    const view = toView(definitions, parts, { ...exchange, route })
    startAside(toEvent(definitions, parts, { ...exchange, context: view }), exchange)
    const reply = route.unauthorized ?? definitions.unauthorized
    if (reply) return toAnswer(reply(view, status), contextOf(exchange, view))
    throw status === 401
      ? new HttpError('endpoint.unauthorized', 'Log in first: this page needs a user', {
          headers: { 'www-authenticate': 'Bearer' },
        })
      : new HttpError('endpoint.forbidden', 'You may not see this page')
  }

  // The body is in memory until the last run that was given it has ended, whether the client is still there or not.
  async function fire(event: EndpointEvent, { hold }: Exchange): Promise<number> {
    const onEnd = hold.share()
    try {
      return await deps.fire({ ...event, onEnd })
    } catch (error) {
      onEnd()
      throw error
    }
  }

  /** Starts flows whose replies nobody waits for. */
  function startAside(event: EndpointEvent, exchange: Exchange): void {
    fire(event, exchange).catch((error: unknown) =>
      log.error({ err: error, requestId: event.requestId }, 'cannot start flows'),
    )
  }

  function failure(cause: unknown, requestId: string): Answer {
    const outage = storeFailure(cause)
    if (outage) log.warn({ err: cause, requestId }, 'a request could not be answered without the store')
    const error = outage ?? cause
    if (error instanceof HttpError) {
      return jsonAnswer(error.status, { type: error.type, message: error.message }, error.headers)
    }
    if (error instanceof FlowError) {
      log.warn({ err: error, requestId }, 'a reply without a flow cannot be made')
      return jsonAnswer(500, { type: error.name, message: error.message, requestId })
    }
    log.error({ err: error, requestId }, 'a request failed')
    const message = 'Something went wrong on our side. Tell us the request id'
    return jsonAnswer(500, { type: 'InternalError', message, requestId })
  }

  return {
    async handle(request, response) {
      const requestId = String(response.getHeader('x-request-id') ?? randomUUID())
      const shared = { 'x-request-id': requestId }
      const send = (result: Answer | undefined) => {
        if (!result || response.destroyed) return
        // Half a file is no file: the client must see that it broke off.
        if (response.headersSent) response.destroy()
        else write(response, result, shared, request.method)
      }
      try {
        send(await answer(request, response, shared))
      } catch (error) {
        if (!isClientGone(error)) send(failure(error, requestId))
      }
    },
    replies: desk,
    async close() {
      desk.close()
    },
  }
}

/** What is known of a request once it is read. */
interface Exchange {
  definitions: Definitions
  parts: RequestParts
  source: Source
  time: number
  requestId: string
  session: Session | undefined
  device?: DeviceView
  hold: Hold
}

function contextOf({ definitions, source }: Exchange, view: Payload): AnswerContext {
  return { definitions, secure: source.secure, view }
}

// An endpoint of the author's own for OPTIONS comes first.
function isPreflight(request: IncomingMessage, source: Source, definitions: Definitions): boolean {
  return request.method === 'OPTIONS' && definitions.cors && !definitions.router.match('options', source.path)
}

function isClientGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function unknownHost(): HttpError {
  return new HttpError('host.unknown', 'No application is served under this host name')
}

function write(
  response: ServerResponse,
  answer: Answer,
  shared: Record<string, string>,
  method: string | undefined,
): void {
  const { status, body } = answer
  const headers = { ...shared, ...answer.headers }
  const bare = status === 204 || status === 304
  if (!bare) headers['content-length'] = String(Buffer.byteLength(body))
  response.writeHead(status, headers).end(bare || method === 'HEAD' ? undefined : body)
}
