import type { Jobs } from '../jobs/port.ts'
import { isoOf } from '../resources/listing.ts'
import { mayRetry } from '../resources/resource-jobs.ts'
import type { ResourceExecutionDocument, ResourceIterationDocument } from '../store/documents/jobs.ts'
import type { WriteOperation } from '../store/port.ts'
import type { AppFlows } from './plans.ts'
import type { RunJobInput } from './run-job.ts'

type ResourceTrigger = 'resource-job-iteration' | 'resource-job-iteration-timeout' | 'resource-job-complete'

/** Queues a run for each trigger of the type that listens to the job. */
export function resourceRuns(
  flows: AppFlows,
  jobs: Jobs,
  what: { type: ResourceTrigger; execution: ResourceExecutionDocument; time: number; data: unknown },
): WriteOperation[] {
  const { execution, time, data } = what
  const by = { type: 'resourceJob', id: execution.jobId }
  return flows.listeners(what.type, execution.jobId).map(({ flow, trigger, index }) => {
    const input: RunJobInput = {
      ...{ flowId: flow.id, triggerKey: trigger.key, triggerType: trigger.published, index },
      ...{ triggerId: execution.jobId, time, data, relay: by, depth: execution.depth + 1 },
    }
    return jobs.insertion({ kind: 'run', input, requestedBy: by })
  })
}

/** What a run of an iteration, or of its end in time, gets. `resource`: the resource as flows see it. */
export function iterationData(
  execution: ResourceExecutionDocument,
  iteration: ResourceIterationDocument,
  resource: unknown,
): Record<string, unknown> {
  return {
    [execution.resourceType]: resource,
    iterationId: iteration.id,
    ...accumulatorOf(execution),
    execution: executionData(execution),
  }
}

/** What an iteration that begins gets besides. */
export function retriesOf(execution: ResourceExecutionDocument, iteration: ResourceIterationDocument) {
  const left = mayRetry(execution, iteration)
  return { willRetryOnFailure: execution.retryOnFailure && left, willRetryOnTimeout: execution.retryOnTimeout && left }
}

/** What a run of the end of an execution gets. */
export function completeData(execution: ResourceExecutionDocument, executionReportUrl: string | undefined) {
  const { jobId, name, resourceType } = execution
  return {
    resourceJob: { id: jobId, resourceJobId: jobId, name, resourceType },
    success: execution.status === 'completed',
    ...accumulatorOf(execution),
    execution: { ...executionData(execution), executionReportUrl: executionReportUrl ?? null },
  }
}

/** An execution as flows see it. */
export function executionData(execution: ResourceExecutionDocument): Record<string, unknown> {
  const { id, jobId, status, context, startedAt, completedAt, summary, error } = execution
  return {
    ...{ id, resourceJobId: jobId, status, context, runStartedAt: isoOf(startedAt) },
    ...(completedAt === undefined ? {} : { runCompletedAt: isoOf(completedAt) }),
    ...(summary === undefined ? {} : { executionSummary: { ...summary } }),
    ...(error === undefined ? {} : { error }),
  }
}

function accumulatorOf({ accumulator }: ResourceExecutionDocument) {
  return accumulator === undefined ? {} : { accumulator }
}
