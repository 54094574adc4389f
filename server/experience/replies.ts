import type { Payload } from '../../engine/payload.ts'
import type { Replies, Reply } from '../../nodes/services/reply.ts'
import { HttpError } from '../errors.ts'
import { storeFailure } from '../outage.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import type { ExperienceLimits } from './limits.ts'
import { type Answer, type AnswerContext, jsonAnswer, toAnswer } from './reply.ts'
import type { ViewSet } from './views.ts'

/** The requests of all applications that wait for a flow to reply, by scope and reply id. */
export interface ReplyDesk {
  /** The reply service of one run: pages are rendered with its flow and globals. */
  service(run: RunOrigin): Pick<Replies, 'send'>
  /**
   * Answers with 500 `{ type, message }` when the request is still open: a run failed and nobody listens. With 503 when the
   * store was away, which `cause` tells.
   */
  fail(scope: Scope, replyId: string, error: { message: string; cause?: unknown; requestId?: string }): void
  /** How many requests wait now. */
  waiting(): number
}

export interface RunOrigin {
  scope: Scope
  flow: { id: string; name: string; version: string }
  /** An experience flow shows the pages of its own version, whatever one its nodes name: they may come from another. */
  ofExperience?: boolean
  globals: Payload
  application: { id: string; name: string }
}

/** A request that waits. */
export interface Waiting {
  /** The answer; undefined when the client has gone. Never rejects. */
  answer: Promise<Answer | undefined>
  /** Ends the waiting without a reply: no flow listens, or the client has gone. Only the first end counts. */
  settle(answer: Answer | undefined): void
}

export interface OpenDesk extends ReplyDesk {
  /**
   * Answers with 504 after `timeoutMs` (default `limits.replyTimeoutMs`). A reply becomes an answer in the `context` of an
   * endpoint, or by `toAnswer`. Throws HttpError `reply.busy` when too many wait already.
   */
  wait(request: WaitingRequest): Waiting
  /** Answers all that wait with 503. */
  close(): void
}

type WaitingRequest = { scope: Scope; replyId: string; timeoutMs?: number; onTimeout(): void } & Answering
type Answering = { context: AnswerContext } | { toAnswer(reply: Reply): Answer }

type Pending = Waiting & { how: Answering }

/** `viewsOf` gives the views of another version of an application; it throws FlowError `view.missing`. */
export function openReplyDesk(options: {
  limits: ExperienceLimits
  viewsOf(scope: Scope, version: string): Promise<ViewSet>
}): OpenDesk {
  const { limits, viewsOf } = options
  const pending = new Map<string, Pending>()
  const perApplication = new Map<string, number>()

  function send(run: RunOrigin, replyId: string, reply: Reply, version: string | undefined): Promise<void> | void {
    const waiting = pending.get(keyOf(run.scope, replyId))
    if (!waiting) return
    const { how } = waiting
    if ('toAnswer' in how) return waiting.settle(how.toAnswer(reply))
    const { application, globals, flow } = run
    const context = { ...how.context, view: { ...how.context.view, application, globals, flow } }
    if (version === undefined || reply.body.kind !== 'page') return waiting.settle(toAnswer(reply, context))
    return viewsOf(run.scope, version).then((views) => {
      waiting.settle(toAnswer(reply, { ...context, definitions: { ...context.definitions, views } }))
    })
  }

  return {
    service: (run) => ({
      send: (replyId, reply, { experienceVersion }) =>
        send(run, replyId, reply, run.ofExperience ? undefined : experienceVersion),
    }),

    fail(scope, replyId, error) {
      const { requestId } = error
      const { status, type, message, headers } = storeFailure(error.cause) ?? { ...ourFault, message: error.message }
      pending.get(keyOf(scope, replyId))?.settle(jsonAnswer(status, { type, message, requestId }, headers))
    },

    waiting: () => pending.size,

    wait({ scope, replyId, timeoutMs = limits.replyTimeoutMs, onTimeout, ...how }) {
      const application = keyOf(scope, '')
      const others = perApplication.get(application) ?? 0
      if (others >= limits.waitingPerApplication || pending.size >= limits.waiting) {
        throw new HttpError('reply.busy', 'Too many requests wait for a reply. Try again in a moment', {
          headers: { 'retry-after': '1' },
        })
      }
      perApplication.set(application, others + 1)
      const key = keyOf(scope, replyId)
      const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
      const settle = (answer: Answer | undefined) => {
        if (!pending.delete(key)) return
        clearTimeout(timer)
        const left = perApplication.get(application)! - 1
        if (left > 0) perApplication.set(application, left)
        else perApplication.delete(application)
        resolve(answer)
      }
      const timer = setTimeout(() => {
        onTimeout()
        settle(timeoutAnswer(timeoutMs))
      }, timeoutMs)
      const waiting = { answer: promise, settle, how }
      pending.set(key, waiting)
      return waiting
    },

    close() {
      const stopped = new HttpError('reply.stopped', 'The server stops. Try again in a moment')
      for (const waiting of pending.values()) {
        waiting.settle(jsonAnswer(stopped.status, { type: stopped.type, message: stopped.message }))
      }
    },
  }
}

/** What a request gets that no flow replied to; `afterMs` undefined: none listens to `what` it asked. */
export function timeoutAnswer(afterMs: number | undefined, what = 'this endpoint'): Answer {
  const message =
    afterMs === undefined
      ? `Expected a flow that replies to ${what}, but none is attached to it`
      : `Expected a reply within ${afterMs / 1000} seconds, but no flow sent one`
  const { status, type } = new HttpError('reply.timeout', message)
  return jsonAnswer(status, { type, message })
}

const ourFault = { status: 500, type: 'InternalError', headers: {} }

function keyOf(scope: Scope, replyId: string): string {
  return `${scopeKey(scope)}\n${replyId}`
}
