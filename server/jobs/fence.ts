import type { JobDocument } from '../store/documents/jobs.ts'
import { type AppStore, type Change, StoreError, type WriteOperation } from '../store/port.ts'
import { JobLost } from './port.ts'

/** The right of one start of a job to write: its own writes, one after the other, each only while the job is still its. */
export interface Fence {
  /**
   * Writes `before`, then the change of the job, then `after`: all or nothing. The change is asked for when its turn comes.
   * Throws JobLost when the job is another's by now, or when `onCancel` has just been called; else as AppStore.write.
   */
  write(change: () => Change<JobDocument>, around?: Around): Promise<void>
}

export interface Around {
  before?: readonly WriteOperation[]
  after?: readonly WriteOperation[]
  /** The job is let go with this write: what is asked to be written later counts as lost. */
  last?: boolean
}

/** `onCancel`: someone asked the job to stop, it still is this start's. `onLost`: it is not. Each is called once. */
export function openFence(options: { app: AppStore; job: JobDocument; onCancel(): void; onLost(): void }): Fence {
  const { app, job, onCancel, onLost } = options
  let { revision } = job
  let line: Promise<unknown> = Promise.resolve()
  let lost = false
  let canceled = false

  async function write(change: Change<JobDocument>, around: Around): Promise<void> {
    const { before = [], after = [], last: final = false } = around
    if (lost) throw new JobLost()
    try {
      await app.write([...before, { update: 'jobs', id: job.id, change, revision }, ...after])
      revision += 1
      lost = final
    } catch (error) {
      if (!refuses(error, before.length)) throw error
      await learn(error)
      return write(change, around)
    }
  }

  /** Someone has written the job: who asked for its end, who took it over, or a write of ours that only seemed to fail. */
  async function learn(refusal: unknown): Promise<void> {
    const found = await app.collection('jobs').get(job.id)
    if (found?.status !== 'running' || found.startId !== job.startId) {
      lost = true
      onLost()
      throw new JobLost()
    }
    if (found.revision === revision) throw refusal
    revision = found.revision
    if (!found.cancelRequested || canceled) return
    canceled = true
    onCancel()
    throw new JobLost()
  }

  return {
    write(change, around = {}) {
      const written = line.then(() => write(change(), around))
      line = written.catch(() => undefined)
      return written
    },
  }
}

/** True for a write that failed because the operation at this place met another revision, or no document. */
export function refuses(error: unknown, operation: number): boolean {
  if (!(error instanceof StoreError) || error.details.operation !== operation) return false
  return error.code === 'conflict' || error.code === 'missing' || error.code === 'duplicate'
}
