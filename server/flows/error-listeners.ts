import type { AppFlows, Listener, RunnableFlow } from './plans.ts'

/**
 * The flow-error triggers that hear of a failure of `failed`, nearest first: of the flow itself, of its experience
 * version, of application flows that listen to its class, and of those that listen to everything.
 */
export function errorListeners(flows: AppFlows, failed: RunnableFlow): Listener[] {
  const triggers = flows.listeners('flow-error')
  const cloud = (flow: RunnableFlow) => flow.flowClass === 'cloud'
  const hears: ((flow: RunnableFlow, scope: unknown) => boolean)[] = [
    (flow, scope) => scope === 'local' && flow.id === failed.id && flow.version === failed.version,
    (flow, scope) =>
      scope === 'experience' &&
      failed.experienceVersion !== undefined &&
      flow.experienceVersion === failed.experienceVersion,
    (flow, scope) => cloud(flow) && scope === (cloud(failed) ? 'cloud' : 'experience'),
    (flow, scope) => cloud(flow) && scope === 'global',
  ]
  return hears.flatMap((fits) => triggers.filter(({ flow, trigger }) => fits(flow, trigger.config.scope)))
}
