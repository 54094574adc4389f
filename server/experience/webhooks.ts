import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Payload } from '../../engine/payload.ts'
import { enterTurn } from '../../engine/turns.ts'
import { HttpError } from '../errors.ts'
import type { WebhookDocument } from '../store/documents/experience.ts'
import type { AppStore } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import { openRateLimit } from './limits.ts'
import { type OpenDesk, timeoutAnswer } from './replies.ts'
import type { Answer } from './reply.ts'
import { type RequestParts, readRequest, type Source } from './request.ts'
import { memoryOf, type Room } from './room.ts'
import { acceptedAnswer, toWebhookAnswer } from './webhook-reply.ts'
import { applicationOfToken, webhookTokenHash } from './webhook-token.ts'
import { checkBasicAuth, verifyCall } from './webhook-verify.ts'

/** Where webhooks are reached: the token follows, then any path. */
export const WEBHOOKS_PREFIX = '/webhooks/'

export interface WebhookLimits {
  /** Default 256 KB, also once unpacked. */
  bodyBytes: number
  /** How long a call waits for a flow to reply; default 60,000. */
  replyTimeoutMs: number
  /** Calls of one webhook in 10 seconds; default 100. */
  callsPer10Seconds: number
}

export const defaultWebhookLimits: WebhookLimits = {
  bodyBytes: 256 * 1024,
  replyTimeoutMs: 60_000,
  callsPer10Seconds: 100,
}

/** A call, as the flows that listen to its webhook get it. Nobody else holds its objects. */
export interface WebhookEvent {
  scope: Scope
  webhookId: string
  /** Milliseconds since the epoch. */
  time: number
  /** `body headers method path query`, and `replyId` where the call waits for it. Several runs each need a copy of their own. */
  data: Payload
  /** To be called once all runs of the event have ended, also when there is none. */
  onEnd(): void
}

/** A webhook that is called, and what follows its token in the path. */
export interface WebhookCall {
  app: AppStore
  webhook: WebhookDocument
  path: string
}

export interface Webhooks {
  /**
   * The webhook at a path, of the application at the host of the request; where that is none, of the application that the
   * token names. Undefined for an unknown token.
   */
  find(path: string, host: { app: AppStore } | undefined): Promise<WebhookCall | undefined>
  /** Answers a call. Undefined: the client has gone. Throws HttpError. */
  answer(
    call: WebhookCall,
    request: IncomingMessage,
    response: ServerResponse,
    source: Source,
  ): Promise<Answer | undefined>
}

export interface WebhookDeps {
  limits: WebhookLimits
  now(): number
  room: Room
  desk: OpenDesk
  log: Logger
  /** The application with an id; undefined for an unknown one. */
  application(id: string): Promise<{ app: AppStore } | undefined>
  /** Starts the flows that listen; resolves with how many were started, without waiting for their end. */
  fire(event: WebhookEvent): Promise<number>
}

/** Answers calls of webhooks. A call that waits for no reply is answered once its runs have begun in this process. */
export function openWebhooks({ limits, now, room, desk, log, application, fire }: WebhookDeps): Webhooks {
  const rate = openRateLimit({ burst: limits.callsPer10Seconds, requestsPerSecond: limits.callsPer10Seconds / 10 })

  async function answer(
    { app: { scope }, webhook, path }: WebhookCall,
    request: IncomingMessage,
    response: ServerResponse,
    source: Source,
  ): Promise<Answer | undefined> {
    if (webhook.isWebsocket) {
      throw new HttpError('webhook.upgrade', 'Expected a WebSocket connection, which this webhook takes alone', {
        headers: { upgrade: 'websocket' },
      })
    }
    checkSupported(webhook)
    await rate.take(`${scopeKey(scope)}\n${webhook.id}`)
    checkBasicAuth(webhook, request.headers.authorization)
    const hold = room.open(scopeKey(scope))
    response.once('close', hold.share())
    const parts = await readRequest(request, source, { ...limits, style: webhook }, (bytes) => hold.set(bytes))
    hold.set(memoryOf(parts.body))
    const verified = verifyCall(webhook, parts, source)
    if (verified) return verified
    await enterTurn(scopeKey(scope))
    const event = { scope, webhookId: webhook.id, time: now(), data: dataOf(parts, path), onEnd: hold.share() }
    const start = async () => {
      try {
        return await fire(event)
      } catch (error) {
        event.onEnd()
        throw error
      }
    }
    if (!webhook.waitForReply) {
      await start()
      return acceptedAnswer(webhook.responseCode)
    }
    const replyId = `${webhook.id}.${randomUUID()}`
    event.data.replyId = replyId
    const timeoutMs = limits.replyTimeoutMs
    const onTimeout = () => log.warn({ ...scope, webhook: webhook.id }, 'no flow replied in time')
    const waiting = waitOrEnd(
      () => desk.wait({ scope, replyId, timeoutMs, onTimeout, toAnswer: toWebhookAnswer }),
      event,
    )
    response.once('close', () => waiting.settle(undefined))
    if (response.destroyed) waiting.settle(undefined)
    try {
      if ((await start()) === 0) waiting.settle(timeoutAnswer(undefined, 'this webhook'))
    } catch (error) {
      waiting.settle(undefined)
      throw error
    }
    return waiting.answer
  }

  return { find: openWebhookFinder(application), answer }
}

// Who is refused a place in the line gives back the memory of its body.
function waitOrEnd<T>(wait: () => T, event: Pick<WebhookEvent, 'onEnd'>): T {
  try {
    return wait()
  } catch (error) {
    event.onEnd()
    throw error
  }
}

function dataOf({ method, query, headers, body }: RequestParts, path: string): Payload {
  const { cookie: _, ...rest } = headers
  return { body, headers: rest, method, path, query }
}

/** Throws HttpError `webhook.unsupported` for a kind of webhook that is not served here. */
export function checkSupported({ verificationType }: WebhookDocument): void {
  if (verificationType !== 'alexa') return
  throw new HttpError('webhook.unsupported', 'Webhooks that verify calls of Alexa are not supported by this server')
}

/** Finds webhooks as `Webhooks.find` says. */
export function openWebhookFinder(application: WebhookDeps['application']): Webhooks['find'] {
  return async (path, host) => {
    const [, token = '', rest = '/'] = /^\/webhooks\/([A-Za-z0-9_-]{20,200})(\/.*)?$/.exec(path) ?? []
    const id = applicationOfToken(token)
    const app = host?.app ?? (id === undefined ? undefined : (await application(id))?.app)
    if (token === '' || !app) return undefined
    const filter = { field: 'tokenHash', op: 'eq', value: webhookTokenHash(token) } as const
    const webhook = await app.collection('webhooks').first(filter)
    return webhook?.enabled ? { app, webhook, path: rest } : undefined
  }
}
