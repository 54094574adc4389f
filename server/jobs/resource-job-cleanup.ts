import { resourceJobKind } from '../resources/resource-jobs.ts'
import type { ResourceExecutionDocument } from '../store/documents/jobs.ts'
import type { AppStore, Filter, WriteOperation } from '../store/port.ts'
import type { JobContext, Jobs } from './port.ts'
import { removeReport } from './resource-job-report.ts'

/** How long executions that have ended are kept, with their iterations and reports, and how many of one resource job, the newest. */
const keptMs = 30 * 86_400_000
const mostKept = 100
const removedAtOnce = 500

/** The input of a job that removes what is too old or too much of a resource job. */
export interface CleanupInput {
  cleanupOf: string
}

/** What asks for it, at the end of an execution. */
export function cleanupJob(jobs: Jobs, { id, jobId }: ResourceExecutionDocument): WriteOperation {
  const input: CleanupInput = { cleanupOf: jobId }
  return jobs.insertion({ kind: resourceJobKind, key: `${resourceJobKind}:cleanup:${id}`, input })
}

/**
 * Removes executions of a resource job, each from its report to itself, so that one that was broken off goes on. Leaves a job behind
 * that comes back when the next is too old.
 */
export async function cleanUp(context: JobContext, { cleanupOf }: CleanupInput, deps: { jobs: Jobs; now(): number }) {
  const { jobs, now } = deps
  const executions = context.app.collection('resourceExecutions')
  const ended: Filter = {
    all: [
      { field: 'jobId', op: 'eq', value: cleanupOf },
      { field: 'completedAt', op: 'gte', value: 0 },
    ],
  }
  const sort = { field: 'completedAt', direction: 'asc' } as const
  for (;;) {
    context.signal.throwIfAborted()
    const [oldest] = await executions.find({ filter: ended, sort, limit: 1 })
    if (oldest === undefined) return
    const dueAt = oldest.completedAt! + keptMs
    if (dueAt > now() && (await executions.count(ended)) <= mostKept) {
      const key = `${resourceJobKind}:cleanup:${cleanupOf}:${dueAt}`
      await jobs.add({ kind: resourceJobKind, key, input: { cleanupOf }, dueAt, mostAttempts: 100 })
      return
    }
    await remove(context, oldest)
  }
}

async function remove(context: JobContext, execution: ResourceExecutionDocument): Promise<void> {
  const { app } = context
  await removeReport(app, execution)
  await removeIterations(context, app, execution.id)
  await context.write([{ remove: 'resourceExecutions', id: execution.id }])
}

async function removeIterations({ write, signal }: JobContext, app: AppStore, executionId: string): Promise<void> {
  const filter = { field: 'executionId', op: 'eq', value: executionId } as const
  for (;;) {
    signal.throwIfAborted()
    const found = await app.collection('resourceIterations').find({ filter, limit: removedAtOnce })
    if (found.length === 0) return
    await write(found.map(({ id }) => ({ remove: 'resourceIterations', id })))
  }
}
