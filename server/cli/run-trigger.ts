import type { PlanTrigger } from '../../engine/compile.ts'
import type { Payload } from '../../engine/payload.ts'
import { ConfigError } from '../config.ts'
import { buttonData } from '../flows/payload.ts'
import type { RunnableFlow } from '../flows/plans.ts'
import type { EndpointDocument } from '../store/documents/experience.ts'
import type { AppStore } from '../store/port.ts'

/** A trigger to start with, and the data that it gives to a run where nobody says otherwise. */
export interface ChosenTrigger {
  trigger: PlanTrigger
  data: Payload
}

/**
 * The trigger that is meant: by key, by the placeholder or the end of the placeholder it was written with, by type, a virtual
 * button by its `meta.uiId` or `meta.id`, an endpoint as `POST /login`; without a word the first. Throws ConfigError with what could be said.
 */
export async function chooseTrigger(
  app: AppStore,
  flow: RunnableFlow,
  wanted: string | undefined,
): Promise<ChosenTrigger> {
  const choices = await Promise.all(flow.plan.triggers.map((trigger) => choiceOf(app, trigger)))
  const chosen = wanted === undefined ? choices[0] : choices.find((one) => one.names.includes(wanted.toLowerCase()))
  if (chosen) return { trigger: chosen.trigger, data: dataOf(chosen.trigger, chosen.endpoint) }
  const known = choices.map((one) => one.label).join(', ') || 'none'
  throw new ConfigError(`--trigger: expected one of ${known}, got ${wanted ?? 'nothing'}`)
}

async function choiceOf(app: AppStore, trigger: PlanTrigger) {
  const { key, type, published } = trigger
  const isEndpoint = type === 'endpoint'
  const endpoint = isEndpoint && /^[0-9a-f]{24}$/.test(key) ? await app.collection('endpoints').get(key) : undefined
  const origin = await app.collection('origins').first({ field: 'targetId', op: 'eq', value: key })
  const short = /^~exportplaceholderid-[^-]+-(.+)~$/.exec(origin?.key ?? key)?.[1]
  const route = endpoint && `${endpoint.method.toUpperCase()} ${endpoint.route}`
  const { uiId, id } = trigger.meta
  const own = type === 'virtual-button' ? [uiId, id].filter((one) => typeof one === 'string') : []
  const names = [key, origin?.key, short, type, published, route, ...own]
  const label = route ?? short ?? (key || type)
  return { trigger, endpoint, label, names: names.map((one) => one?.toLowerCase()) }
}

// As a request without anything in it, so that flows can read and answer it.
function dataOf(trigger: PlanTrigger, endpoint: EndpointDocument | undefined): Payload {
  if (trigger.type === 'virtual-button') return buttonData(trigger)
  if (trigger.type !== 'endpoint') return {}
  const { method = 'get', route: path = '/' } = endpoint ?? {}
  return { method, path, headers: {}, query: {}, params: {}, cookies: {}, body: {}, replyId: 'run.1' }
}
