import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { PlanTrigger } from '../../engine/compile.ts'
import { copyValue } from '../../engine/payload.ts'
import { type Outcome, run } from '../../engine/run.ts'
import type { RunLimits } from '../../engine/run-state.ts'
import type { Services } from '../../nodes/services.ts'
import type { EndpointEvent } from '../experience/event.ts'
import type { WebhookEvent } from '../experience/webhooks.ts'
import { storeFailure } from '../outage.ts'
import type { AppStore, Store } from '../store/port.ts'
import { type Scope, scopeKey } from '../store/scope.ts'
import type { Placement } from './custom-nodes.ts'
import { errorListeners } from './error-listeners.ts'
import { ANY_ENDPOINT, endpointMatches, type Match, targetMatch, webhookMatches } from './matches.ts'
import { errorStart, type Start, startPayload } from './payload.ts'
import { type AppFlows, type Plans, type RunnableFlow, replyIdOf } from './plans.ts'
import type { RunRecords } from './records.ts'

/** One run: which flow of which application, begun by which trigger. */
export interface RunContext {
  runId: string
  app: AppStore
  flows: AppFlows
  flow: RunnableFlow
  /** `flow` is a custom node: what called it. */
  placement?: Placement
  /** How many runs that something which happened started lie before this one; default 0. */
  depth?: number
  /** Counts the runs that flows have started from one on; undefined until the first. */
  family?: { runs: number }
  /** Ends the run before its time. */
  signal?: AbortSignal
}

/** One trigger of a flow. Several may share a key: then what stands at `index` is meant, as long as it has this type and key. */
export interface TriggerTarget {
  flowId: string
  triggerKey: string
  /** The published name; default any. */
  triggerType?: string
  index?: number
  /** Default the one that runs: `develop` or the name of the version, of an experience flow that of the experience. */
  version?: string
}

/** What a trigger is fired with. Default for the id is its key, for the time now. */
export interface TriggerStart extends Pick<Start, 'data' | 'relay' | 'roots'> {
  triggerId?: string
  time?: Date
  /** Default a new one. */
  runId?: string
  depth?: number
  family?: RunContext['family']
  signal?: AbortSignal
}

export interface RunnerDeps {
  store: Store
  plans: Plans
  records: RunRecords
  log: Logger
  limits: Partial<RunLimits>
  now(): number
  services(context: RunContext): Services
  /** Answers a request that waits: its run failed and no flow listens. */
  failReply(scope: Scope, replyId: string, error: { message: string; cause?: unknown }): void
  onEnd?(context: RunContext, trigger: PlanTrigger, outcome: Outcome): void
}

export interface Runner {
  /** Starts the flows that listen to a request; gives their number without waiting for their end. */
  fireEndpoint(event: EndpointEvent): Promise<number>
  /** Starts the application flows that listen to a webhook; gives their number without waiting for their end. */
  fireWebhook(event: WebhookEvent): Promise<number>
  /** Starts one trigger of a flow and waits for its end; undefined when the flow no longer has it. */
  fireTrigger(scope: Scope, target: TriggerTarget, start: TriggerStart): Promise<Outcome | undefined>
  /** Waits until no run is under way, at most `milliseconds`; then ends what is left. */
  drain(milliseconds: number): Promise<void>
}

interface RunEnd {
  /** Undefined: a fault of ours; it stands in the log. */
  outcome: Outcome | undefined
  /** Why the run failed, where no flow that listens to it came to its own end. */
  unheard?: { message: string; cause?: unknown }
}

const PUBLIC_ID = '0'.repeat(24)

/** Starts runs and sees them to their end: record, log, error listeners. */
export function openRunner(deps: RunnerDeps): Runner {
  const running = new Set<Promise<unknown>>()
  const stopping = new AbortController()

  // Drained with everything else. It never rejects.
  const track = (ended: Promise<unknown>): void => {
    running.add(ended)
    void ended.then(() => running.delete(ended))
  }

  // Never rejects: whoever starts a run does not always wait for it.
  const startRun = async (context: RunContext, trigger: PlanTrigger, start: Start): Promise<RunEnd> => {
    try {
      return await runToEnd(context, trigger, start)
    } catch (error) {
      const { runId, app, flow } = context
      deps.log.error({ err: error, runId, application: app.scope.application, flow: flow.name }, 'a run broke off')
      return { outcome: undefined, unheard: { message: 'The flow could not be run', cause: error } }
    }
  }

  const runToEnd = async (context: RunContext, trigger: PlanTrigger, start: Start): Promise<RunEnd> => {
    const { app, flow } = context
    const payload = startPayload(context.flows, flow, start)
    const replyId = replyIdOf(payload)
    const outcome = await run({
      plan: flow.plan,
      entry: trigger.entry,
      payload,
      services: deps.services(context),
      limits: deps.limits,
      signal: context.signal ? AbortSignal.any([stopping.signal, context.signal]) : stopping.signal,
      group: scopeKey(app.scope),
    })
    const { type: triggerType } = trigger
    deps.records.add(app, { flowId: flow.id, flowVersion: flow.version, triggerType, outcome })
    deps.onEnd?.(context, trigger, outcome)
    if (outcome.status === 'done') return { outcome }
    logFailure(deps.log, context, outcome)
    // No flow can mend it: whoever asked is told to come again, whatever the author's error flows say.
    if (replyId !== undefined && storeFailure(outcome.error?.cause)) {
      deps.failReply(app.scope, replyId, { message: 'The store failed', cause: outcome.error?.cause })
    }
    // A failure of an error flow is logged only: error flows never start each other.
    const heard = trigger.type !== 'flow-error' && (await startListeners(context, outcome, replyId))
    if (heard) return { outcome }
    const { message = 'The flow failed', cause } = outcome.error ?? {}
    return { outcome, unheard: { message: excerptOf(message), cause } }
  }

  /** True when some flow listens to the failure and does not fail itself. */
  const startListeners = async (
    context: RunContext,
    outcome: Outcome,
    replyId: string | undefined,
  ): Promise<boolean> => {
    const listeners = errorListeners(context.flows, context.flow)
    const ends = await Promise.all(
      listeners.map((listener) => {
        const start = errorStart(context.flow, outcome, replyId, new Date(deps.now()))
        return startRun({ ...context, runId: randomUUID(), flow: listener.flow }, listener.trigger, start)
      }),
    )
    return ends.some(({ unheard }) => unheard === undefined)
  }

  /** Answers the request of runs that have all ended, one of them with a failure that no flow has heard of. */
  const failUnheard = (scope: Scope, data: unknown, ends: readonly RunEnd[]): void => {
    const failure = ends.find(({ unheard }) => unheard !== undefined)?.unheard
    const replyId = replyIdOf({ data })
    if (failure !== undefined && replyId !== undefined) deps.failReply(scope, replyId, failure)
  }

  /** Starts a run for each trigger that a request matches, each with objects of its own. Gives their number. */
  const fireAll = (
    app: AppStore,
    flows: AppFlows,
    request: { matches: readonly Match[]; start: Start; replyId: unknown; onEnd?: () => void },
  ): number => {
    const { matches, start, replyId, onEnd } = request
    // All copies are made before the first run begins: it writes into its payload at once.
    const starts = matches.map((_, index): Start => {
      const own = <T>(value: T) => (index === 0 ? value : copyValue(value))
      return { ...start, data: own(start.data), ...(start.experience ? { experience: own(start.experience) } : {}) }
    })
    const runAll = async () => {
      const ends = await Promise.all(
        matches.map(({ flow, trigger }, index) =>
          startRun({ runId: randomUUID(), app, flows, flow }, trigger, starts[index]!),
        ),
      )
      // Another flow may still answer: a failure counts when no run of the request is left.
      failUnheard(app.scope, { replyId }, ends)
      onEnd?.()
    }
    track(runAll())
    return matches.length
  }

  return {
    async fireEndpoint(event) {
      const app = deps.store.app(event.scope)
      const flows = await deps.plans.of(app, event.revision)
      const { endpoint, time, data, experience, relay, onEnd } = event
      const triggerId = endpoint?.id ?? ANY_ENDPOINT
      const start = { triggerId, triggerType: 'endpoint', time: new Date(time), data, experience, relay }
      return fireAll(app, flows, { matches: endpointMatches(flows, event), start, replyId: data.replyId, onEnd })
    },
    async fireWebhook({ scope, webhookId: triggerId, time, data, onEnd }) {
      const app = deps.store.app(scope)
      const flows = await deps.plans.of(app)
      const relay = { type: 'public', id: PUBLIC_ID }
      const start = { triggerId, triggerType: 'webhook', time: new Date(time), data, relay }
      return fireAll(app, flows, { matches: webhookMatches(flows, triggerId), start, replyId: data.replyId, onEnd })
    },
    async fireTrigger(scope, target, { triggerId = target.triggerKey, runId = randomUUID(), time, ...given }) {
      const { data, relay, roots, ...about } = given
      const app = deps.store.app(scope)
      const flows = await deps.plans.of(app)
      const match = targetMatch(flows, target)
      if (!match) return undefined
      const { flow, trigger } = match
      const at = time ?? new Date(deps.now())
      const start = { data, relay, roots, triggerId, triggerType: trigger.published, time: at }
      const { depth, family, signal } = about
      const replyId = replyIdOf({ data })
      const ending = startRun({ runId, app, flows, flow, depth, family, signal }, trigger, start)
      track(ending)
      const end = await ending
      failUnheard(scope, { replyId }, [end])
      return end.outcome
    },
    async drain(milliseconds) {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, milliseconds)
      await Promise.race([Promise.allSettled(running), late])
      clearTimeout(timer)
      stopping.abort()
      await Promise.allSettled(running)
    },
  }
}

const MOST_MESSAGE_CHARS = 1_000

// An author's message may be megabytes long, and come a thousand times a second.
function excerptOf(message: string): string {
  return message.length <= MOST_MESSAGE_CHARS ? message : `${message.slice(0, MOST_MESSAGE_CHARS)}...`
}

function logFailure(log: Logger, { runId, app, flow }: RunContext, { error }: Outcome): void {
  const { node, inside } = error ?? {}
  const place = { flow: flow.name, version: flow.version, node, ...(inside ? { inside } : {}) }
  const about = { runId, application: app.scope.application, ...place }
  if (error?.code === 'internal') log.error({ ...about, err: error.cause }, 'a run failed on a fault of the server')
  else log.warn({ ...about, code: error?.code, reason: excerptOf(error?.message ?? '') }, 'a run failed')
}
