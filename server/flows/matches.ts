import type { PlanTrigger } from '../../engine/compile.ts'
import type { EndpointEvent } from '../experience/event.ts'
import type { AppFlows, Listener, RunnableFlow } from './plans.ts'
import type { TriggerTarget } from './runner.ts'

/** A trigger that something fires, and the flow that it starts. */
export type Match = Pick<Listener, 'flow' | 'trigger'>

/** The key of an endpoint trigger that listens to all endpoints. */
export const ANY_ENDPOINT = '0'.repeat(24)

/** The triggers that listen to a request: those of its endpoint, and those of any. In the order of the flows. */
export function endpointMatches(flows: AppFlows, event: EndpointEvent): Match[] {
  const { endpoint, version } = event
  const own = endpoint ? flows.listeners('endpoint', endpoint.id) : []
  const copied = endpoint?.copyOf === undefined ? [] : flows.listeners('endpoint', endpoint.copyOf)
  const found = [...own, ...copied, ...flows.listeners('endpoint', ANY_ENDPOINT)].filter(({ flow, trigger }) => {
    if (flow.experienceVersion !== undefined) return flow.experienceVersion === version
    // An application flow names the experience version; one that listens to everything and names none hears all.
    const named = trigger.config.experienceVersion || (trigger.key === ANY_ENDPOINT ? version : 'develop')
    return flow.flowClass === 'cloud' && named === version
  })
  return found.length > 1 ? found.sort((a, b) => a.place - b.place) : found
}

/** The triggers that listen to a webhook. */
export function webhookMatches(flows: AppFlows, id: string): readonly Match[] {
  return flows.listeners('webhook', id)
}

/** The trigger that is meant by name; undefined when the flow no longer has it, or is switched off, whatever version is named. */
export function targetMatch(flows: AppFlows, target: TriggerTarget): Match | undefined {
  const { triggerKey, triggerType, index = -1 } = target
  const flow = targetFlow(flows, target)
  const fits = (one: PlanTrigger | undefined) =>
    one?.key === triggerKey && (triggerType === undefined || one.published === triggerType)
  const there = flow?.plan.triggers[index]
  const trigger = fits(there) ? there : flow?.plan.triggers.find(fits)
  return flow && trigger && { flow, trigger }
}

function targetFlow(flows: AppFlows, { flowId, version }: TriggerTarget): RunnableFlow | undefined {
  const enabled = flows.flows.filter((one) => one.id === flowId)
  if (version === undefined || enabled.length === 0) return enabled[0]
  const ofExperience = enabled[0]!.experienceVersion !== undefined
  return ofExperience ? enabled.find((one) => one.version === version) : flows.version(flowId, version)
}
