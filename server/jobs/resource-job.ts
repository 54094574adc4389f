import type { AppFlows, Plans } from '../flows/plans.ts'
import { completeData, iterationData, resourceRuns, retriesOf } from '../flows/resource-job-triggers.ts'
import { mayRetry, resourceJobKind, waitingAgain } from '../resources/resource-jobs.ts'
import type { Resources } from '../resources/resources.ts'
import { again } from '../resources/writing.ts'
import type { ResourceExecutionDocument, ResourceIterationDocument } from '../store/documents/jobs.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import type { JobContext, JobDefinition, Jobs } from './port.ts'
import { type CleanupInput, cleanUp, cleanupJob } from './resource-job-cleanup.ts'
import { writeReport } from './resource-job-report.ts'
import { listIterations, resourceOf } from './resource-job-resources.ts'

export interface ResourceJobDeps {
  now(): number
  plans: Plans
  jobsOf(app: AppStore): Jobs
  resources(app: AppStore): Resources
}

/** How an execution stands after a step: over, worth another step at once, or to be looked at again at a time. */
type Step = 'ended' | 'more' | { dueAt: number }

/**
 * Takes executions of resource jobs further, step by step. All that is known stands in the store, and each step is one write that
 * counts only if no other step came between: a worker may die anywhere, and two may look at the same time. An iteration begins in
 * the same write as its runs are queued. A look that finds nothing to do leaves a later one behind before it ends.
 */
export function resourceJob(deps: ResourceJobDeps): JobDefinition {
  return {
    kind: resourceJobKind,
    async run(context) {
      const input = context.input as { executionId: string } | CleanupInput
      const jobs = deps.jobsOf(context.app)
      if ('cleanupOf' in input) {
        await cleanUp(context, input, { ...deps, jobs })
        return undefined
      }
      const { executionId } = input
      for (;;) {
        context.signal.throwIfAborted()
        const step = await again(() => takeStep(context, executionId, { ...deps, jobs }))
        if (step === 'ended') return undefined
        if (step === 'more') continue
        const key = `${resourceJobKind}:${executionId}:${step.dueAt}`
        await jobs.add({ kind: resourceJobKind, key, input: { executionId }, dueAt: step.dueAt, mostAttempts: 100 })
        return undefined
      }
    },
  }
}

interface Stepping extends ResourceJobDeps {
  jobs: Jobs
}

async function takeStep(context: JobContext, executionId: string, deps: Stepping): Promise<Step> {
  const { app } = context
  const { jobs, now } = deps
  const execution = await app.collection('resourceExecutions').get(executionId)
  if (execution === undefined || execution.completedAt !== undefined) return 'ended'
  if (execution.total === undefined && execution.status === 'inProgress') {
    const listed = await listIterations(context, execution, deps.resources(app))
    await write(context, execution, listed, [])
    return 'more'
  }
  const flows = await deps.plans.of(app)
  const iterations = app.collection('resourceIterations')
  const inState = (state: ResourceIterationDocument['state'], ...more: Filter[]): Filter => ({
    all: [{ field: 'executionId', op: 'eq', value: executionId }, { field: 'state', op: 'eq', value: state }, ...more],
  })

  const running = await iterations.find({ filter: inState('running'), sort: { field: 'deadline', direction: 'asc' } })
  const late = running.find(({ deadline }) => deadline! <= now())
  if (late) {
    await write(context, execution, {}, await timedOut(late, execution, { ...deps, app, flows }))
    jobs.wake()
    return 'more'
  }
  if (execution.status === 'inProgress' && running.length < execution.maxIterationConcurrency) {
    const freeAt = (execution.lastStartAt ?? Number.NEGATIVE_INFINITY) + execution.iterationDelay
    const ready = inState('waiting', { field: 'notBefore', op: 'lte', value: now() })
    const [next] = await iterations.find({ filter: ready, sort: { field: 'position', direction: 'asc' }, limit: 1 })
    if (next && freeAt <= now()) {
      const operations = await begun(next, execution, { ...deps, app, flows })
      await write(context, execution, { lastStartAt: now() }, operations)
      jobs.wake()
      return 'more'
    }
    if (next) return { dueAt: Math.min(freeAt, running[0]?.deadline ?? freeAt) }
    const byTime = { filter: inState('waiting'), sort: { field: 'notBefore', direction: 'asc' }, limit: 1 } as const
    const [later] = await iterations.find(byTime)
    if (later) return { dueAt: Math.min(Math.max(later.notBefore, freeAt), running[0]?.deadline ?? Infinity) }
  }
  if (running[0]) return { dueAt: running[0].deadline! }

  const count = (state: ResourceIterationDocument['state']) => iterations.count(inState(state))
  const [succeeded, failed, timedOutCount] = [await count('succeeded'), await count('failed'), await count('timedOut')]
  const counts = { succeeded, failed, timedOut: timedOutCount, inProgress: 0, remaining: await count('waiting') }
  const status =
    execution.status === 'canceling'
      ? ('canceled' as const)
      : failed + timedOutCount > 0 || execution.error !== undefined
        ? ('errored' as const)
        : ('completed' as const)
  const ended = { status, completedAt: now(), summary: counts }
  const url = await writeReport(app, execution, deps.resources(app))
  const over = { ...execution, ...ended }
  const data = completeData(over, url)
  const runs = resourceRuns(flows, jobs, { type: 'resource-job-complete', execution: over, time: now(), data })
  await write(context, execution, ended, [...runs, cleanupJob(jobs, execution)])
  jobs.wake()
  return 'ended'
}

/** Writes a change of the execution together with others, if it is still as it was read. */
async function write(
  context: JobContext,
  { id, revision }: ResourceExecutionDocument,
  change: Partial<ResourceExecutionDocument>,
  operations: readonly WriteOperation[],
): Promise<void> {
  await context.write([{ update: 'resourceExecutions', id, change, revision }, ...operations])
}

type At = Stepping & { app: AppStore; flows: AppFlows }

/** A resource that is gone meanwhile is done. */
async function begun(
  iteration: ResourceIterationDocument,
  execution: ResourceExecutionDocument,
  { app, flows, jobs, now, resources }: At,
): Promise<WriteOperation[]> {
  const { id, revision } = iteration
  const resource = await resourceOf(execution, iteration.resourceId, resources(app))
  const attempt = iteration.attempt + 1
  if (resource === undefined) {
    const change = { state: 'succeeded' as const, attempt, completedAt: now(), message: 'The resource is gone' }
    return [{ update: 'resourceIterations', id, change, revision }]
  }
  const deadline = now() + execution.iterationTimeout
  const change = { state: 'running' as const, attempt, startedAt: now(), deadline, message: undefined }
  const started = { ...iteration, attempt }
  const data = { ...iterationData(execution, started, resource), ...retriesOf(execution, started) }
  const runs = resourceRuns(flows, jobs, { type: 'resource-job-iteration', execution, time: now(), data })
  return [{ update: 'resourceIterations', id, change, revision }, ...runs]
}

async function timedOut(
  iteration: ResourceIterationDocument,
  execution: ResourceExecutionDocument,
  { app, flows, jobs, now, resources }: At,
): Promise<WriteOperation[]> {
  const retried = execution.retryOnTimeout && mayRetry(execution, iteration)
  const change = retried
    ? waitingAgain(execution, now())
    : { state: 'timedOut' as const, completedAt: now(), deadline: undefined }
  const { id, revision, startedAt } = iteration
  const resource = await resourceOf(execution, iteration.resourceId, resources(app))
  const iterationStartedAt = new Date(startedAt!).toISOString()
  const data = { ...iterationData(execution, iteration, resource ?? null), iterationStartedAt }
  const type = 'resource-job-iteration-timeout'
  return [
    { update: 'resourceIterations', id, change, revision },
    ...resourceRuns(flows, jobs, { type, execution, time: now(), data }),
  ]
}
