import { exportKind } from '../../jobs/export-document.ts'
import type { JobDocument } from '../../store/documents/jobs.ts'
import { isId } from '../../store/id.ts'
import type { Filter } from '../../store/port.ts'
import { isoOf } from '../listing.ts'
import { type ApiWorld, type Calls, call, found, needed, words } from './call.ts'
import { listOf, listParams } from './lists.ts'

/** What flows asked for by this API; the jobs of users are theirs. */
const asked: Filter = {
  all: [
    { field: 'kind', op: 'eq', value: exportKind },
    { field: 'requestedBy.type', op: 'eq', value: 'flow' },
  ],
}

/** Work that was queued by other calls. */
export const applicationJobLogs: Calls = {
  get: call(listParams, async (world, params) => {
    return await listOf(world, 'jobs', {
      ...{ asked: params, filters: ['status'], also: asked },
      sortFields: { runQueuedAt: 'creationDate', status: 'status', runCompletedAt: 'endedAt' },
      view: (job) => viewOf(world, job),
    })
  }),
}

export const applicationJobLog: Calls = {
  get: call({ jobId: words }, async (world, { jobId }) => {
    const id = needed(jobId, 'jobId')
    const by: Filter = isId(id.toLowerCase())
      ? { field: 'id', op: 'eq', value: id.toLowerCase() }
      : { field: 'key', op: 'eq', value: `${exportKind}:${id}` }
    const job = await world.app.collection('jobs').first({ all: [asked, by] })
    return viewOf(world, found(job, 'Job'))
  }),
}

const statuses = { queued: 'queued', running: 'inProgress', done: 'completed', failed: 'failed', canceled: 'errored' }
const resourceTypes: Record<string, string> = {
  points: 'device',
  devices: 'device',
  events: 'event',
  rows: 'datatable',
}

function viewOf({ app }: ApiWorld, job: JobDocument) {
  const { id, status, requestedBy, progress, creationDate, startedAt, endedAt, error } = job
  const { of, callbackUrl, email, query, start, end, tableId } = job.input as Record<string, unknown>
  const { downloadUrl } = (job.output ?? {}) as { downloadUrl?: string }
  return {
    ...{ id, jobId: id, jobExecutionId: id, applicationId: app.scope.application, name: `Export of ${String(of)}` },
    ...{ ownerType: 'application', ownerId: app.scope.application, resourceType: resourceTypes[String(of)] },
    ...(tableId === undefined ? {} : { resourceId: tableId }),
    ...{ requestedByType: requestedBy.type, requestedById: requestedBy.id, status: statuses[status], progress },
    runQueuedAt: isoOf(creationDate),
    ...(startedAt === undefined ? {} : { runStartedAt: isoOf(startedAt) }),
    ...(endedAt === undefined ? {} : { runCompletedAt: isoOf(endedAt) }),
    ...(error === undefined ? {} : { error: { name: error.code, message: error.message } }),
    input: { callbackUrl, emails: email === undefined ? [] : [email], query, start, end },
    output: downloadUrl === undefined ? {} : { downloadUrls: [downloadUrl] },
  }
}
