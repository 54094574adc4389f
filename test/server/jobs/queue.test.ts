import { describe, expect, test } from 'vitest'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { type Dispatch, JobFailed } from '../../../server/jobs/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import { makeApplication, openMember, own, reaches, until } from './world.ts'

/** Every dispatch passes the same tests. `members` gives one for each process that shares it. */
const dispatches: readonly { name: string; open(): Promise<() => Dispatch> }[] = [
  { name: 'in this process', open: async () => openLocalDispatch },
]

for (const { name, open } of dispatches) {
  describe(`${name}: jobs`, () => {
    async function world() {
      const [store, dispatch] = [await openTestStore(), await open()]
      await makeApplication(store)
      return { store, dispatch }
    }

    test('runs a job and keeps what it gave', async () => {
      const { store, dispatch } = await world()
      const run = async ({ input }: { input: unknown }) => ({ output: { doubled: (input as number) * 2 } })
      const { jobs, ends } = openMember({ store, dispatch: dispatch() }, [{ kind: 'double', run }])
      const { id } = await jobs.add({ kind: 'double', input: 21, requestedBy: { type: 'user', id: 'u1' } })
      const job = await reaches(jobs, id, 'done')
      expect(job).toMatchObject({ attempts: 1, output: { doubled: 42 }, requestedBy: { type: 'user', id: 'u1' } })
      for (const gone of ['slot', 'leaseUntil', 'dueAt', 'startId', 'error']) expect(job).not.toHaveProperty(gone)
      expect(job.endedAt).toBeGreaterThanOrEqual(job.startedAt!)
      expect(ends).toMatchObject([{ kind: 'double', status: 'done' }])
    })

    test('gives the first job for a key that is taken', async () => {
      const { store, dispatch } = await world()
      const { jobs } = openMember({ store, dispatch: dispatch() })
      const first = await jobs.add({ kind: 'mail', input: 1, key: 'once' })
      const [second, third] = await Promise.all([1, 2].map(() => jobs.add({ kind: 'mail', input: 2, key: 'once' })))
      expect([second, third]).toEqual([first, first])
      expect(await jobs.byKey('once')).toEqual(first)
      expect(await store.app(own).collection('jobs').count()).toBe(1)
    })

    test('runs 200 jobs once each, with two workers', async () => {
      const { store, dispatch } = await world()
      const ran: string[] = []
      const run = async ({ id }: { id: string }) => {
        ran.push(id)
        return undefined
      }
      const one = openMember({ store, dispatch: dispatch() }, [{ kind: 'count', run }])
      openMember({ store, dispatch: dispatch() }, [{ kind: 'count', run }])
      const added = await Promise.all(Array.from({ length: 200 }, (_, n) => one.jobs.add({ kind: 'count', input: n })))
      await until(
        () => one.app.collection('jobs').count({ field: 'status', op: 'eq', value: 'done' }),
        (done) => done === 200,
      )
      expect(ran.toSorted()).toEqual(added.map(({ id }) => id).toSorted())
    })

    test('keeps a job that failed for good with its reason, and runs it again when asked', async () => {
      const { store, dispatch } = await world()
      let broken = true
      const run = async () => {
        if (broken) throw new JobFailed('export.empty', 'There is nothing to export')
        return { output: 'well' }
      }
      const { jobs } = openMember({ store, dispatch: dispatch() }, [{ kind: 'export', run }])
      const { id } = await jobs.add({ kind: 'export', input: {} })
      const failed = await reaches(jobs, id, 'failed')
      expect(failed).toMatchObject({
        attempts: 1,
        error: { code: 'export.empty', message: 'There is nothing to export' },
      })
      broken = false
      expect(await jobs.retry(id)).toBe(true)
      const done = await reaches(jobs, id, 'done')
      expect(done).toMatchObject({ attempts: 1, output: 'well' })
      expect(done).not.toHaveProperty('error')
      expect(await jobs.retry(id)).toBe(false)
    })
  })
}
