import type { Jobs as JobsOfFlows, JobView } from '../../nodes/services/jobs.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { type ExportInput, type ExportSubject, exportKind, mayHave } from '../jobs/export-document.ts'
import type { Jobs } from '../jobs/port.ts'
import type { JobDocument } from '../store/documents/jobs.ts'
import type { UserDocument } from '../store/documents/people.ts'
import { isId } from '../store/id.ts'
import type { AppStore, Filter } from '../store/port.ts'
import type { TenancyRule } from '../tenancy/rule.ts'
import { isoOf } from './listing.ts'

export interface JobServiceDeps {
  app: AppStore
  now(): number
  tenancy: TenancyRule
  jobs: Jobs
}

/** How many exports a user may begin within an hour. */
const mostAnHour = 10
const hourMs = 60 * 60 * 1000
const mostListed = 100
const mostAttributes = 256
/** The last time that dates can say. */
const lastTime = 8.64e15

/** What flows ask for that takes long, and what became of it. Nobody sees the jobs of another user. */
export function openJobService({ app, now, tenancy, jobs }: JobServiceDeps): Omit<JobsOfFlows, 'importDevices'> {
  const collection = app.collection('jobs')

  async function ownJob(id: string, requestedBy: string): Promise<JobDocument | undefined> {
    const user = await tenancy.user(requestedBy)
    const jobId = id.trim().toLowerCase()
    const job = user && isId(jobId) ? await jobs.get(jobId) : undefined
    return job !== undefined && job.requestedBy.type === 'experienceUser' && job.requestedBy.id === user?.id
      ? job
      : undefined
  }

  async function newest(filter: Filter, limit: number): Promise<JobDocument[]> {
    return await collection.find({ filter, sort: { field: 'creationDate', direction: 'desc' }, limit })
  }

  async function checkRate(mine: Filter): Promise<void> {
    const recent: Filter = { field: 'creationDate', op: 'gte', value: now() - hourMs }
    if ((await collection.count({ all: [mine, recent] })) < mostAnHour) return
    throw new Refusal('RateLimit', `Expected at most ${mostAnHour} exports of a user in an hour; try again later`)
  }

  return {
    async exportData({ subject: asked, requestedBy, baseUrl, start, end, attributes, mail }) {
      const user = await tenancy.user(requestedBy)
      const subject = await subjectOf(asked, tenancy)
      if (user === undefined || subject === undefined || !(await mayHave(tenancy, user.id, subject))) {
        const message = 'Expected the user who asks, or a group that he is a member of or that lies below one of his'
        throw new Refusal('NotFound', message)
      }
      const input: ExportInput = {
        ...{ subject, ...rangeOf({ start, end, now: now() }), mail: mail ?? true },
        origin: originOf(baseUrl),
        ...(attributes === undefined ? {} : { attributes: checkedAttributes(attributes) }),
      }
      const mine = byUser(user.id, exportKind)
      const [last] = await newest(mine, 1)
      if (last !== undefined && !hasEnded(last)) return sameExport(last, subject)
      await checkRate(mine)
      // Whoever asks at the same moment finds the same last export, so asks by the same key, and gets the same job.
      const key = `${exportKind}:${user.id}:${last?.id ?? 'first'}`
      const job = await jobs.add({ key, kind: exportKind, input, requestedBy: requesterOf(user) })
      return sameExport(job, subject)
    },

    async get(id, requestedBy) {
      const job = await ownJob(id, requestedBy)
      return job && toJobView(job)
    },

    async list(requestedBy, kind) {
      const user = await tenancy.user(requestedBy)
      if (user === undefined) return []
      return (await newest(byUser(user.id, kind), mostListed)).map(toJobView)
    },

    async cancel(id, requestedBy) {
      const job = await ownJob(id, requestedBy)
      return job !== undefined && (await jobs.cancel(job.id))
    },
  }
}

/** Who asked for a job, as its document has it. */
export function requesterOf(user: UserDocument): JobDocument['requestedBy'] {
  return { type: 'experienceUser', id: user.id }
}

/** A job as flows see it. Where a blob lies is nobody's business. */
export function toJobView(job: JobDocument): JobView {
  const { id, kind, status, error, creationDate, endedAt } = job
  const { completed, total, status: words } = job.progress
  const { blobKey: _blobKey, ...output } = (job.output ?? {}) as Record<string, unknown>
  const percent = total === undefined ? null : Math.floor((Math.min(completed, total) / Math.max(total, 1)) * 100)
  return {
    ...{ id, kind, status },
    progress: { completed, total: total ?? null, percent: status === 'done' ? 100 : percent, status: words ?? '' },
    output: job.output === undefined ? null : output,
    error: status === 'failed' && error !== undefined ? error : null,
    creationDate: isoOf(creationDate),
    endedAt: endedAt === undefined ? null : isoOf(endedAt),
  }
}

function byUser(userId: string, kind: string | undefined): Filter {
  const filters: Filter[] = [
    { field: 'requestedBy.id', op: 'eq', value: userId },
    { field: 'requestedBy.type', op: 'eq', value: 'experienceUser' },
  ]
  if (kind !== undefined && kind !== '') filters.push({ field: 'kind', op: 'eq', value: kind })
  return { all: filters }
}

function hasEnded({ status }: JobDocument): boolean {
  return status !== 'queued' && status !== 'running'
}

/** Throws Refusal when the user's export is one of other devices. */
function sameExport(job: JobDocument, { kind, id }: ExportSubject): JobView {
  const { subject } = job.input as ExportInput
  if (subject.kind === kind && subject.id === id) return toJobView(job)
  throw new Refusal('RateLimit', 'Another export of this user is being written; try again when it has ended')
}

/** With ids as they are stored; undefined for an unknown user. */
async function subjectOf(asked: ExportSubject, tenancy: TenancyRule): Promise<ExportSubject | undefined> {
  if (asked.kind === 'experienceGroup') return { kind: asked.kind, id: asked.id.trim().toLowerCase() }
  const user = await tenancy.user(asked.id)
  return user && { kind: asked.kind, id: user.id }
}

function rangeOf({ start = 0, end, now }: { start?: number; end?: number; now: number }) {
  // What is reported in this very millisecond is still in it.
  const range = { start, end: end ?? now + 1 }
  for (const [name, time] of Object.entries(range)) {
    if (Number.isFinite(time) && Math.abs(time) <= lastTime) continue
    throw new Refusal('Validation', `Expected "${name}" in milliseconds since 1970, got ${time}`)
  }
  if (range.start < range.end) return range
  throw new Refusal('Validation', `Expected a start before the end, got ${isoOf(range.start)} and ${isoOf(range.end)}`)
}

function checkedAttributes(names: readonly string[]): string[] {
  if (names.length >= 1 && names.length <= mostAttributes && names.every((name) => name.length <= 255)) {
    return [...new Set(names)]
  }
  throw new Refusal('Validation', `Expected 1 to ${mostAttributes} names of attributes, got ${names.length}`)
}

function originOf(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url.origin
  throw new Refusal(
    'Validation',
    `Expected the address of the experience, as https://..., got "${baseUrl.slice(0, 80)}"`,
  )
}
