import { exportJob } from '../../../server/jobs/export.ts'
import { exportCleanupJob } from '../../../server/jobs/export-cleanup.ts'
import type { ExportInput, ExportOutput } from '../../../server/jobs/export-document.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { JobContext, JobResult } from '../../../server/jobs/port.ts'
import type { JobDocument, JobProgress } from '../../../server/store/documents/jobs.ts'
import { newId } from '../../../server/store/id.ts'
import type { AppStore } from '../../../server/store/port.ts'

const quiet = { wake: () => undefined, nudge: () => undefined }

export interface Started {
  job: JobDocument
  context: JobContext
  controller: AbortController
  progress: JobProgress[]
  /** Runs the handler and writes its end, as the queue does. */
  run(): Promise<JobResult | undefined>
}

/** The handlers of exports, each started with a context of the test's, without a queue. */
export function openExports(app: AppStore, now: () => number) {
  const jobsOf = (of: AppStore) => openJobs({ app: of, now, ...quiet })
  const jobs = jobsOf(app)
  const definitions = [exportJob({ now, jobsOf }), exportCleanupJob({ now, jobsOf })]

  /** One start of a job. `before` is called before each of its writes and reports of progress. */
  async function start(job: JobDocument, before: () => void = () => undefined): Promise<Started> {
    const attempts = job.attempts + 1
    await app.collection('jobs').update(job.id, { status: 'running', attempts, dueAt: undefined })
    const controller = new AbortController()
    const progress: JobProgress[] = []
    const { id, kind, input, requestedBy } = job
    const context: JobContext = {
      ...{ app, id, kind, input, requestedBy, attempt: attempts, signal: controller.signal },
      async progress(one) {
        before()
        progress.push(one)
      },
      async write(operations) {
        before()
        await app.write(operations)
      },
    }
    const run = async () => {
      const result = await definitions.find((one) => one.kind === kind)!.run(context)
      const end = { status: 'done' as const, output: result?.output, endedAt: now() }
      await app.write([...(result?.operations ?? []), { update: 'jobs', id, change: end }])
      return result
    }
    return { job, context, controller, progress, run }
  }

  return {
    jobs,
    start,
    /** A queued export of a user's own devices, or of a group's. */
    async ask(userId: string, given: Partial<ExportInput> = {}): Promise<JobDocument> {
      const subject = { kind: 'experienceUser', id: userId } as const
      const range = { start: 0, end: 8.64e15 }
      const input: ExportInput = { subject, ...range, origin: 'http://a.example', mail: true, ...given }
      return await jobs.add({ kind: 'data-export', input, requestedBy: { type: 'experienceUser', id: userId } })
    },
    /** Runs a job from its start to its end. */
    async run(job: JobDocument): Promise<ExportOutput> {
      return (await (await start(job)).run())?.output as ExportOutput
    },
    async jobsOfKind(kind: string): Promise<JobDocument[]> {
      return await app.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: kind } })
    },
  }
}

/** A user in a group that associates devices by the tag `group`. */
export async function addUser(app: AppStore, email: string, groupIds: string[]): Promise<string> {
  const document = { id: newId(), email, emailKey: email, userTags: {}, experienceGroupIds: groupIds }
  return (await app.collection('users').insert(document)).id
}
