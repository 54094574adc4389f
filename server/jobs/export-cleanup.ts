import type { WriteOperation } from '../store/port.ts'
import { type ExportOutput, exportKind } from './export-document.ts'
import type { JobDefinition, Jobs } from './port.ts'

interface CleanupInput {
  jobId: string
  blobKey: string
}

const cleanupKind = 'export-cleanup'
/** An export that still runs is looked at again after this time. */
const againMs = 60 * 60 * 1000

/** What asks for the removal of the blob of one attempt, at the time when it is of no use any more. */
export function cleanupOf(jobs: Jobs, { dueAt, ...input }: CleanupInput & { dueAt: number }): WriteOperation {
  return jobs.insertion({ kind: cleanupKind, key: `${input.blobKey}:${dueAt}`, input, dueAt })
}

/** The job that removes what attempts left behind: archives that have expired, and those of attempts that ended no export. */
export function exportCleanupJob({ now, jobsOf }: { now(): number; jobsOf: ExportDepsJobs }): JobDefinition {
  return {
    kind: cleanupKind,
    async run({ app, input }) {
      const { jobId, blobKey } = input as CleanupInput
      const jobs = jobsOf(app)
      const job = await jobs.get(jobId)
      const output = job?.kind === exportKind && job.status === 'done' ? (job.output as ExportOutput) : undefined
      const until =
        job?.status === 'running' ? now() + againMs : output?.blobKey === blobKey ? output.expiresAt : undefined
      if (until !== undefined && until > now()) {
        return { operations: [cleanupOf(jobs, { jobId, blobKey, dueAt: until })] }
      }
      await app.blobs.remove(blobKey)
      await app.blobs.remove(`${blobKey}.lines`)
      return undefined
    },
  }
}

type ExportDepsJobs = (app: Parameters<JobDefinition['run']>[0]['app']) => Jobs
