import type { JobDocument } from '../store/documents/jobs.ts'
import { newId } from '../store/id.ts'
import { type AppStore, type Change, type NewDocument, StoreError } from '../store/port.ts'
import { checkKey, checkSize } from './limits.ts'
import type { Jobs, NewJob } from './port.ts'

export interface JobsOptions {
  app: AppStore
  now(): number
  wake(dueAt?: number): void
  /** Asks the job's worker, when it is in this process, to look now. */
  nudge(id: string): void
}

const mostTries = 20

/** The jobs of one application, as those see them who ask for work. */
export function openJobs({ app, now, wake, nudge }: JobsOptions): Jobs {
  const collection = app.collection('jobs')

  function documentOf(job: NewJob): NewDocument<JobDocument> {
    const id = newId()
    const key = job.key ?? id
    checkKey(key)
    checkSize('input', job.input)
    return {
      ...{ id, kind: job.kind, key, status: 'queued', input: job.input },
      ...{ progress: { completed: 0 }, attempts: 0, mostAttempts: job.mostAttempts },
      dueAt: job.dueAt ?? now(),
      requestedBy: job.requestedBy ?? { type: 'system', id: 'system' },
    }
  }

  const byKey = (key: string) => collection.first({ field: 'key', op: 'eq', value: key })

  /** Changes a job as it is when read; read again when someone else was faster. False when `changeOf` gives nothing. */
  async function alter(id: string, changeOf: (job: JobDocument) => Change<JobDocument> | undefined): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      const job = await collection.get(id)
      const change = job && changeOf(job)
      if (change === undefined) return false
      try {
        await collection.update(id, change, { revision: job?.revision })
        return true
      } catch (error) {
        const raced = error instanceof StoreError && (error.code === 'conflict' || error.code === 'missing')
        if (!raced || tries >= mostTries) throw error
      }
    }
  }

  const again = (job: JobDocument): Change<JobDocument> | undefined => {
    if (job.status !== 'failed' && job.status !== 'canceled') return undefined
    const cleared = { endedAt: undefined, startedAt: undefined, error: undefined, output: undefined }
    return { ...cleared, status: 'queued', attempts: 0, dueAt: now(), progress: { completed: 0 } }
  }

  return {
    async add(job) {
      const document = documentOf(job)
      for (let tries = 1; ; tries++) {
        try {
          const added = await collection.insert(document)
          wake(added.dueAt)
          return added
        } catch (error) {
          if (!(error instanceof StoreError) || error.code !== 'duplicate') throw error
          const first = await byKey(document.key)
          if (first !== undefined) return first
          // It was removed in between: the key is free again.
          if (tries >= mostTries) throw error
        }
      }
    },
    insertion: (job) => ({ insert: 'jobs', document: documentOf(job) }),
    wake,
    get: (id) => collection.get(id),
    byKey,

    async cancel(id) {
      let asked = false
      const done = await alter(id, (job) => {
        asked = job.status === 'running'
        if (asked) return { cancelRequested: true }
        return job.status === 'queued' ? { status: 'canceled', dueAt: undefined, endedAt: now() } : undefined
      })
      if (asked) nudge(id)
      return done
    },

    async retry(id) {
      const done = await alter(id, again)
      if (done) wake()
      return done
    },

    async retryFailed(kind) {
      const failed = { field: 'status', op: 'eq', value: 'failed' } as const
      const filter = kind === undefined ? failed : { all: [failed, { field: 'kind', op: 'eq', value: kind } as const] }
      let count = 0
      for await (const { id } of collection.each(filter)) {
        if (await alter(id, (job) => (job.status === 'failed' ? again(job) : undefined))) count += 1
      }
      if (count > 0) wake()
      return count
    },
  }
}
