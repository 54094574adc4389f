import { expect, test, vi } from 'vitest'
import { type JobContext, type JobDefinition, JobFailed, JobLost, type NewJob } from '../../../server/jobs/port.ts'
import type { QueueOptions } from '../../../server/jobs/queue.ts'
import type { JobDocument } from '../../../server/store/documents/jobs.ts'
import { StoreError } from '../../../server/store/port.ts'
import { adapters } from '../store/adapters.ts'
import { dispatches } from './dispatches.ts'
import { gate, type Member, makeApplication, openMember, other, own, reaches, until } from './world.ts'

const soon = { first: 20, most: 40 }
const emptyJob = { input: {}, progress: { completed: 0 }, attempts: 1, requestedBy: { type: 'system', id: 'system' } }

// The two stacks that are meant to be used, and what is between them.
const stacks = dispatches.flatMap((dispatch) =>
  adapters
    .filter((adapter) => adapter.name === 'sqlite' || dispatch.name === 'bullmq')
    .map((adapter) => ({
      ...dispatch,
      openStore: adapter.open,
      stack: `${adapter.name}, ${dispatch.name}`,
      slow: adapter.name !== 'sqlite',
    })),
)

// On two cores beside other tests, a write of the MongoDB of the tests may take a tenth of a second.
vi.setConfig({ testTimeout: 60_000 })

for (const { name, stack, slow, describe, open, openStore } of stacks) {
  describe(`${stack}: the queue`, () => {
    async function world() {
      const store = await openStore()
      await makeApplication(store)
      const dispatch = open()
      const member = async (kinds?: readonly JobDefinition[], options: Partial<QueueOptions> = {}) =>
        openMember({ store, dispatch: await dispatch(), ...options }, kinds)
      const ended = (count: number) =>
        until(
          () => store.app(own).collection('jobs').count({ field: 'endedAt', op: 'ne', value: null }),
          (found) => found === count,
        )
      /** All at once, by `insertion`. */
      const addMany = async ({ app, jobs }: Member, added: readonly NewJob[]) => {
        await app.write(added.map(jobs.insertion))
        jobs.wake()
      }
      return { store, member, ended, addMany }
    }

    const nothing = async () => undefined

    test('runs a job and keeps what it gave', async () => {
      const { member } = await world()
      const run = async ({ input }: JobContext) => ({ output: { doubled: (input as number) * 2 } })
      const { jobs, ends } = await member([{ kind: 'double', run }])
      const { id } = await jobs.add({ kind: 'double', input: 21, requestedBy: { type: 'user', id: 'u1' } })
      const job = await reaches(jobs, id, 'done')
      expect(job).toMatchObject({ attempts: 1, output: { doubled: 42 }, requestedBy: { type: 'user', id: 'u1' } })
      for (const gone of ['slot', 'leaseUntil', 'dueAt', 'startId', 'error']) expect(job).not.toHaveProperty(gone)
      expect(job.endedAt).toBeGreaterThanOrEqual(job.startedAt!)
      await until(
        () => ends,
        ({ length }) => length > 0,
      )
      expect(ends).toMatchObject([{ kind: 'double', status: 'done' }])
    })

    test('runs at a worker what another process asks for', async () => {
      const { member } = await world()
      const web = await member()
      await member([{ kind: 'work', run: nothing }], { lookMs: name === 'local' ? 20 : 60_000 })
      const { id } = await web.jobs.add({ kind: 'work', input: {} })
      await reaches(web.jobs, id, 'done')
      expect(web.queue.running()).toBe(0)
    })

    test('starts a job when it is due, not before', async () => {
      const { member } = await world()
      const { jobs } = await member([{ kind: 'later', run: nothing }])
      const dueAt = Date.now() + 150
      const { id } = await jobs.add({ kind: 'later', input: {}, dueAt })
      const job = await reaches(jobs, id, 'done')
      expect(job.startedAt).toBeGreaterThanOrEqual(dueAt)
    })

    test('gives the first job for a key that is taken', async () => {
      const { store, member } = await world()
      const { jobs } = await member()
      const first = await jobs.add({ kind: 'mail', input: 1, key: 'once' })
      const [second, third] = await Promise.all([1, 2].map(() => jobs.add({ kind: 'mail', input: 2, key: 'once' })))
      expect([second, third]).toEqual([first, first])
      expect(await jobs.byKey('once')).toEqual(first)
      expect(await store.app(own).collection('jobs').count()).toBe(1)
    })

    test('adds a job together with other writes, or neither', async () => {
      const { store, member } = await world()
      const { jobs } = await member([{ kind: 'mail', run: nothing }])
      const app = store.app(own)
      const event = {
        insert: 'events' as const,
        document: {
          ...{ level: 'info' as const, state: 'new' as const, subject: 'Hot', eventTags: {} },
          ...{ sourceType: 'flow', sourceId: 'f1', updates: [] },
        },
      }
      await app.write([event, jobs.insertion({ kind: 'mail', input: {}, key: 'alert-1' })])
      jobs.wake()
      const first = await jobs.byKey('alert-1')
      await reaches(jobs, first!.id, 'done')
      const again = app.write([event, jobs.insertion({ kind: 'mail', input: {}, key: 'alert-1' })])
      await expect(again).rejects.toMatchObject({ code: 'duplicate', details: { operation: 1 } })
      expect(await app.collection('events').count()).toBe(1)
    })

    test('refuses more than a megabyte of input', async () => {
      const { member } = await world()
      const { jobs } = await member()
      await expect(jobs.add({ kind: 'mail', input: 'x'.repeat(1024 * 1024) })).rejects.toThrow(/1048576 bytes/)
      expect(() => jobs.insertion({ kind: 'mail', input: {}, key: 'k'.repeat(501) })).toThrow(/500 characters/)
    })

    test('runs many jobs once each, with two workers', async () => {
      const { member, ended, addMany } = await world()
      const many = slow ? 12 : 200
      const ran: unknown[] = []
      const run = async ({ input }: JobContext) => {
        ran.push(input)
        return undefined
      }
      const one = await member([{ kind: 'count', run }])
      const two = await member([{ kind: 'count', run }])
      const inputs = Array.from({ length: many }, (_, n) => n)
      await addMany(
        one,
        inputs.map((input) => ({ kind: 'count', input })),
      )
      await ended(many)
      expect(ran.toSorted((a, b) => Number(a) - Number(b))).toEqual(inputs)
      await until(
        () => one.ends.length + two.ends.length,
        (count) => count >= many,
      )
      expect([...one.ends, ...two.ends].every(({ status }) => status === 'done')).toBe(true)
    })

    test('tries again after an error, later each time, and shows nothing of it', async () => {
      const { member } = await world()
      const starts: number[] = []
      const run = async ({ attempt }: JobContext) => {
        starts.push(Date.now())
        if (attempt < 3) throw new Error('secret of the house')
        return { output: attempt }
      }
      const { jobs, ends, log } = await member([{ kind: 'flaky', run, backoffMs: { first: 100, most: 10_000 } }])
      const { id } = await jobs.add({ kind: 'flaky', input: {} })
      const waiting = await until(
        () => jobs.get(id),
        (job) => job?.status === 'queued' && job.attempts === 1,
      )
      expect(waiting?.error).toEqual({ code: 'job.error', message: expect.not.stringContaining('secret') })
      const done = await reaches(jobs, id, 'done')
      expect(done).toMatchObject({ attempts: 3, output: 3 })
      await until(
        () => ends,
        ({ length }) => length > 2,
      )
      expect(ends.map(({ status }) => status)).toEqual(['retried', 'retried', 'done'])
      expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(50)
      expect(starts[2]! - starts[1]!).toBeGreaterThanOrEqual(100)
      const [line] = log.filter(({ msg }) => msg === 'a job could not be done')
      expect(line).toMatchObject({ job: id, kind: 'flaky', attempt: 1, err: { message: 'secret of the house' } })
    })

    test('fails when all attempts are used up, and runs failed jobs again, one by one and in bulk', async () => {
      const { member, ended } = await world()
      let broken = true
      const run = async () => {
        if (broken) throw new Error('not now')
        return undefined
      }
      const { jobs } = await member([{ kind: 'mail', run, mostAttempts: 2, backoffMs: soon }])
      const ids: string[] = []
      for (let n = 0; n < 5; n++) ids.push((await jobs.add({ kind: 'mail', input: n })).id)
      for (const id of ids) {
        const error = { code: 'job.error', message: expect.any(String) }
        expect(await reaches(jobs, id, 'failed')).toMatchObject({ attempts: 2, error })
      }
      broken = false
      expect(await jobs.retry(ids[0]!)).toBe(true)
      const done = await reaches(jobs, ids[0]!, 'done')
      expect(done).toMatchObject({ attempts: 1 })
      expect(done).not.toHaveProperty('error')
      expect(await jobs.retry(ids[0]!)).toBe(false)
      expect(await jobs.retryFailed('other kind')).toBe(0)
      expect(await jobs.retryFailed('mail')).toBe(4)
      await ended(5)
      for (const id of ids) await reaches(jobs, id, 'done')
    })

    test('fails at once when no other try would help, with the reason', async () => {
      const { member } = await world()
      const run = async () => {
        throw new JobFailed('export.empty', 'There is nothing to export')
      }
      const { jobs } = await member([{ kind: 'export', run }])
      const { id } = await jobs.add({ kind: 'export', input: {} })
      const error = { code: 'export.empty', message: 'There is nothing to export' }
      expect(await reaches(jobs, id, 'failed')).toMatchObject({ attempts: 1, error })
    })

    test('shows progress while it runs, and the last of it', async () => {
      const { member } = await world()
      const leave = gate()
      const run = async ({ progress }: JobContext) => {
        for (let completed = 1; completed <= 10; completed++) await progress({ completed, total: 11 })
        await leave.passed
        await progress({ completed: 11, total: 11, status: 'Sent' })
        return undefined
      }
      const { jobs } = await member([{ kind: 'export', run }])
      const { id, revision } = await jobs.add({ kind: 'export', input: {} })
      const shown = await until(
        () => jobs.get(id),
        (job) => job?.progress.completed === 10,
      )
      expect(shown!.revision - revision).toBeLessThanOrEqual(3)
      leave.open()
      expect((await reaches(jobs, id, 'done')).progress).toEqual({ completed: 11, total: 11, status: 'Sent' })
    })

    test('cancels what waits at once, and what runs when its handler hears of it', async () => {
      const { member } = await world()
      const heard: unknown[] = []
      const run = ({ signal }: JobContext) =>
        new Promise<undefined>((_, reject) => {
          signal.addEventListener('abort', () => {
            heard.push(signal.reason)
            reject(signal.reason)
          })
        })
      const worker = await member([{ kind: 'long', run }])
      const waiting = await worker.jobs.add({ kind: 'long', input: {}, dueAt: Date.now() + 60_000 })
      expect(await worker.jobs.cancel(waiting.id)).toBe(true)
      expect(await worker.jobs.get(waiting.id)).toMatchObject({ status: 'canceled', attempts: 0 })
      expect(await worker.jobs.cancel(waiting.id)).toBe(false)
      expect(await worker.jobs.cancel('0'.repeat(24))).toBe(false)

      const { id } = await worker.jobs.add({ kind: 'long', input: {} })
      await reaches(worker.jobs, id, 'running')
      expect(await worker.jobs.cancel(id)).toBe(true)
      const canceled = await reaches(worker.jobs, id, 'canceled')
      expect(canceled).not.toHaveProperty('error')
      expect(heard).toHaveLength(1)
      expect(await worker.jobs.retry(id)).toBe(true)
      await reaches(worker.jobs, id, 'running')
      await worker.jobs.cancel(id)
      await reaches(worker.jobs, id, 'canceled')
    })

    test('stops a running job that another process canceled, and what it would have written with its end', async () => {
      const { store, member } = await world()
      const run = async ({ signal }: JobContext) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return { operations: [{ insert: 'recipes' as const, document: { name: 'no', template: {} } }] }
      }
      const worker = await member([{ kind: 'long', run }], { leaseMs: 300 })
      const web = await member()
      const { id } = await worker.jobs.add({ kind: 'long', input: {} })
      await reaches(web.jobs, id, 'running')
      expect(await web.jobs.cancel(id)).toBe(true)
      await reaches(web.jobs, id, 'canceled')
      expect(await store.app(own).collection('recipes').count()).toBe(0)
      await until(
        () => worker.ends,
        ({ length }) => length > 0,
      )
      expect(worker.ends).toMatchObject([{ status: 'canceled' }])
    })

    test('writes documents of a job together, and with its end', async () => {
      const { store, member } = await world()
      const recipe = (title: string) => ({ insert: 'recipes' as const, document: { name: title, template: {} } })
      const run = async ({ write }: JobContext) => {
        await write([recipe('first')])
        return { operations: [recipe('last')], output: 2 }
      }
      const { jobs } = await member([{ kind: 'make', run }])
      const { id } = await jobs.add({ kind: 'make', input: {} })
      await reaches(jobs, id, 'done')
      const made = await store.app(own).collection('recipes').find()
      expect(made.map(({ name: title }) => title)).toEqual(['first', 'last'])
    })

    test('tries again when what belongs to its end cannot be written', async () => {
      const { store, member } = await world()
      const run = async ({ attempt }: JobContext) => {
        const id = attempt === 1 ? '0'.repeat(24) : (await store.app(own).collection('application').find())[0]!.id
        return { operations: [{ update: 'application' as const, id, change: { description: 'changed' } }] }
      }
      const { jobs, ends } = await member([{ kind: 'make', run, backoffMs: soon }])
      const { id } = await jobs.add({ kind: 'make', input: {} })
      await reaches(jobs, id, 'done')
      await until(
        () => ends,
        ({ length }) => length > 1,
      )
      expect(ends.map(({ status }) => status)).toEqual(['retried', 'done'])
    })

    test('a worker whose lease ran out can neither write nor end, and hears of it', async () => {
      const { store, member } = await world()
      const leave = gate()
      const outcomes: unknown[] = []
      const slow = async ({ write, signal }: JobContext) => {
        await leave.passed
        await write([{ insert: 'recipes', document: { name: 'late', template: {} } }]).catch((e) => outcomes.push(e))
        outcomes.push(signal.aborted)
        return {
          output: 'late',
          operations: [{ insert: 'recipes' as const, document: { name: 'late', template: {} } }],
        }
      }
      // For another worker, with a shorter lease, it gives no sign of life.
      const first = await member([{ kind: 'export', run: slow }], { leaseMs: 600_000, concurrency: 1 })
      const { id } = await first.jobs.add({ kind: 'export', input: {} })
      await reaches(first.jobs, id, 'running')
      const run = async ({ attempt }: JobContext) => ({ output: `taken over as attempt ${attempt}` })
      const second = await member([{ kind: 'export', run, backoffMs: soon }], { leaseMs: 100, lookMs: 20 })
      expect(await reaches(second.jobs, id, 'done')).toMatchObject({ attempts: 2, output: 'taken over as attempt 2' })
      leave.open()
      await until(
        () => first.ends,
        ({ length }) => length === 1,
      )
      expect(first.ends).toMatchObject([{ status: 'lost' }])
      expect(outcomes).toEqual([expect.any(JobLost), true])
      expect(await store.app(own).collection('recipes').count()).toBe(0)
      expect(await first.jobs.get(id)).toMatchObject({ output: 'taken over as attempt 2' })
    })

    test('a job whose workers died each time fails for good', async () => {
      const { store, member } = await world()
      const dead = { kind: 'poison', key: 'p', status: 'running' as const, input: {}, progress: { completed: 3 } }
      const stamps = { startedAt: Date.now() - 60_000, leaseUntil: Date.now() - 30_000, slot: '0', startId: 'x' }
      const by = { type: 'system', id: 'system' }
      const { id } = await store
        .app(own)
        .collection('jobs')
        .insert({ ...dead, ...stamps, attempts: 5, requestedBy: by })
      const { jobs } = await member([{ kind: 'poison', run: nothing }], { leaseMs: 100, lookMs: 20 })
      const failed = await reaches(jobs, id, 'failed')
      expect(failed).toMatchObject({ attempts: 5, error: { code: 'job.died' }, progress: { completed: 3 } })
      for (const gone of ['slot', 'leaseUntil', 'dueAt', 'startId']) expect(failed).not.toHaveProperty(gone)
    })

    test('renews the lease of a job that takes longer', async () => {
      const { member } = await world()
      const leave = gate()
      const run = async () => {
        await leave.passed
        return undefined
      }
      const kinds = [{ kind: 'long', run }]
      const one = await member(kinds, { leaseMs: 600 })
      await member(kinds, { leaseMs: 600, lookMs: 20 })
      const { id } = await one.jobs.add({ kind: 'long', input: {} })
      const started = await reaches(one.jobs, id, 'running')
      await until(
        () => one.jobs.get(id),
        (job) => (job?.leaseUntil ?? 0) > started.leaseUntil! + 600,
      )
      leave.open()
      expect(await reaches(one.jobs, id, 'done')).toMatchObject({ attempts: 1 })
    })

    test('a clock that jumps ahead takes no job from a worker that lives', async () => {
      const { store, member } = await world()
      const leave = gate()
      const run = async ({ signal }: JobContext) => {
        await leave.passed
        return { output: signal.aborted }
      }
      let jump = 0
      const now = () => Date.now() + jump
      const { jobs } = await member([{ kind: 'long', run }], { now, lookMs: 20, leaseMs: 1_000 })
      const { id } = await jobs.add({ kind: 'long', input: {} })
      await reaches(jobs, id, 'running')
      jump = 3_600_000
      // The look that finds this one goes through the leases in their order, the other first.
      const left = { slot: '9', leaseUntil: now() - 1, startId: 'dead', status: 'running' as const }
      const dead = await store
        .app(own)
        .collection('jobs')
        .insert({ ...emptyJob, ...left, kind: 'none', key: 'dead' })
      await reaches(jobs, dead.id, 'queued')
      leave.open()
      expect(await reaches(jobs, id, 'done')).toMatchObject({ attempts: 1, output: false })
    })

    for (const minutes of [-2, 2]) {
      test(`a worker whose clock is ${minutes} minutes off takes no job from one that lives, and its own are left alone`, async () => {
        const { store, member, ended } = await world()
        const leave = gate()
        const starts: string[] = []
        const run = async ({ id }: JobContext) => {
          starts.push(id)
          await leave.passed
          return undefined
        }
        const now = () => Date.now() + minutes * 60_000
        // On a slow store a sign of life takes its time.
        const options = { leaseMs: slow ? 6_000 : 600, lookMs: 20, perApplication: 1 }
        const [right, wrong] = [
          await member([{ kind: 'long', run }], options),
          await member([{ kind: 'long', run }], { ...options, now }),
        ]
        await makeApplication(store, other)
        await right.jobs.add({ kind: 'long', input: 1 })
        await right.queue.of(store.app(other)).add({ kind: 'long', input: 2, dueAt: 0 })
        await until(
          () => starts.length,
          (length) => length === 2,
        )
        const leases = await store.app(own).collection('jobs').find()
        await until(
          () => store.app(own).collection('jobs').find(),
          // Two leases on.
          ([job]) => job!.leaseUntil! > leases[0]!.leaseUntil! + 2 * options.leaseMs,
        )
        leave.open()
        await ended(1)
        await until(
          () => right.ends.length + wrong.ends.length,
          (count) => count === 2,
        )
        expect(starts).toHaveLength(2)
        expect([...right.ends, ...wrong.ends].every(({ status }) => status === 'done')).toBe(true)
      })
    }

    test('runs no more jobs of an application at a time than it may, over two workers', async () => {
      const { member, ended, addMany } = await world()
      const many = slow ? 9 : 60
      let running = 0
      let most = 0
      const leave = gate()
      const run = async () => {
        running += 1
        most = Math.max(most, running)
        await leave.passed
        await new Promise((resolve) => setTimeout(resolve, 3))
        running -= 1
        return undefined
      }
      const options = { perApplication: 3, lookMs: 20 }
      const one = await member([{ kind: 'work', run }], options)
      await member([{ kind: 'work', run }], options)
      await addMany(one, Array<NewJob>(many).fill({ kind: 'work', input: {} }))
      await until(
        () => running,
        (count) => count === 3,
      )
      // Time for a fourth to begin, if it could.
      await new Promise((resolve) => setTimeout(resolve, slow ? 1_000 : 100))
      leave.open()
      await ended(many)
      expect(most).toBe(3)
    })

    test('a flood of one application does not hold up the single job of another', async () => {
      const { store, member, addMany } = await world()
      await makeApplication(store, other)
      const order: string[] = []
      const run = async ({ app }: JobContext) => {
        order.push(app.scope.application)
        await new Promise((resolve) => setTimeout(resolve, 60))
        return undefined
      }
      const worker = await member([{ kind: 'work', run }], { concurrency: 4 })
      await addMany(worker, Array<NewJob>(100).fill({ kind: 'work', input: {} }))
      await until(
        () => order.length,
        (length) => length >= 8,
      )
      await worker.queue.of(store.app(other)).add({ kind: 'work', input: 'single' })
      const begun = order.length
      await until(
        () => order.includes(other.application),
        (ran) => ran,
      )
      // Turns that had begun, and one more for each place.
      expect(order.indexOf(other.application) - begun).toBeLessThanOrEqual(8)
    })

    test('a tenant with many applications leaves room for another, however long its jobs take', async () => {
      const { store, member } = await world()
      const leave = gate()
      let theirs = 0
      const run = async ({ app }: JobContext) => {
        if (app.scope.tenant === theirTenant) return undefined
        theirs += 1
        await leave.passed
        return undefined
      }
      const theirTenant = 'tenant-2'
      const worker = await member([{ kind: 'work', run }], { concurrency: 4, perTenant: 3 })
      const flooding = Array.from({ length: 6 }, (_, n) => ({ tenant: own.tenant, application: `${n}`.repeat(24) }))
      for (const scope of flooding) {
        await makeApplication(store, scope)
        await worker.queue.of(store.app(scope)).add({ kind: 'work', input: {} })
      }
      await until(
        () => theirs,
        (count) => count === 3,
      )
      const single = { tenant: theirTenant, application: own.application }
      await makeApplication(store, single)
      const jobs = worker.queue.of(store.app(single))
      const { id } = await jobs.add({ kind: 'work', input: {} })
      await reaches(jobs, id, 'done')
      expect(theirs).toBe(3)
      leave.open()
      await until(
        () => theirs,
        (count) => count === 6,
      )
    })

    test('what is added after it was closed holds up nobody', async () => {
      const { member } = await world()
      const { jobs, queue } = await member()
      await queue.close()
      const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
      const before = timers()
      await jobs.add({ kind: 'work', input: {}, dueAt: Date.now() + 4_000 })
      expect(timers()).toBeLessThanOrEqual(before)
    })

    test('lets running jobs end when it closes, and leaves the others to be done', async () => {
      const { member } = await world()
      const leave = gate()
      const run = async () => {
        await leave.passed
        return { output: 'well' }
      }
      const worker = await member([{ kind: 'work', run }], { perApplication: 1 })
      const first = await worker.jobs.add({ kind: 'work', input: 1 })
      const second = await worker.jobs.add({ kind: 'work', input: 2 })
      await reaches(worker.jobs, first.id, 'running')
      const closed = worker.queue.close(5_000)
      leave.open()
      await closed
      expect(await worker.jobs.get(first.id)).toMatchObject({ status: 'done', output: 'well' })
      expect(await worker.jobs.get(second.id)).toMatchObject({ status: 'queued', attempts: 0 })
    })

    test('gives back what does not end in time, without counting the attempt', async () => {
      const { member } = await world()
      const deaf = () => new Promise<undefined>(() => undefined)
      const hearing = ({ signal }: JobContext) =>
        new Promise<undefined>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      const worker = await member([
        { kind: 'deaf', run: deaf },
        { kind: 'hearing', run: hearing },
      ])
      const ids: string[] = []
      for (const kind of ['deaf', 'hearing']) ids.push((await worker.jobs.add({ kind, input: {} })).id)
      for (const id of ids) await reaches(worker.jobs, id, 'running')
      await worker.queue.close(20)
      for (const id of ids) {
        const job = await worker.jobs.get(id)
        expect(job).toMatchObject({ status: 'queued', attempts: 0 })
        for (const gone of ['slot', 'leaseUntil', 'startId']) expect(job).not.toHaveProperty(gone)
      }
      expect(worker.ends.map(({ status }) => status)).toEqual(['returned', 'returned'])
      const next = await member(['deaf', 'hearing'].map((kind) => ({ kind, run: nothing })))
      for (const id of ids) expect(await reaches(next.jobs, id, 'done')).toMatchObject({ attempts: 1 })
    })

    test('leaves jobs of kinds that it does not know, however many stand in front', async () => {
      const { member, addMany } = await world()
      const worker = await member([{ kind: 'known', run: nothing }])
      const { jobs } = worker
      await addMany(worker, Array<NewJob>(60).fill({ kind: 'newer', input: {} }))
      const { id } = await jobs.add({ kind: 'known', input: {} })
      await reaches(jobs, id, 'done')
      const left = await jobs.get((await jobs.add({ kind: 'newer', input: 'last' })).id)
      expect(left).toMatchObject({ status: 'queued', attempts: 0 })
    })

    test('keeps no more ended jobs than it may, the newest, and none that are too old', async () => {
      const { store, member } = await world()
      const jobs = store.app(own).collection('jobs')
      const old = (status: JobDocument['status'], n: number, endedAt: number) => ({
        insert: 'jobs' as const,
        document: {
          ...{
            kind: 'mail',
            key: `${status} ${n}`,
            status,
            input: {},
            progress: { completed: 0 },
            attempts: 1,
            endedAt,
          },
          requestedBy: { type: 'system', id: 'system' },
        },
      })
      const now = Date.now()
      const day = 24 * 3_600_000
      await store
        .app(own)
        .write([
          ...Array.from({ length: 30 }, (_, n) => old('done', n, now - n)),
          ...Array.from({ length: 30 }, (_, n) => old('failed', n, now - n)),
          old('canceled', 99, now - 8 * day),
          old('failed', 99, now - 31 * day),
        ])
      await member([], { retention: { ended: 10, failed: 20 } })
      await until(
        () => jobs.count(),
        (count) => count === 30,
      )
      const left = await jobs.find({ sort: { field: 'endedAt', direction: 'desc' } })
      const numbers = (status: string) =>
        left.filter((job) => job.status === status).map(({ endedAt }) => now - endedAt!)
      expect(numbers('done')).toEqual(Array.from({ length: 10 }, (_, n) => n))
      expect(numbers('failed')).toEqual(Array.from({ length: 20 }, (_, n) => n))
    })

    test('an application neither sees nor changes the jobs of another', async () => {
      const { store, member } = await world()
      const seen: string[] = []
      const run = async ({ app, input }: JobContext) => {
        seen.push(`${app.scope.tenant} ${app.scope.application} ${input}`)
        return undefined
      }
      const { queue, jobs } = await member([{ kind: 'work', run }])
      const sameName = { tenant: 'tenant-2', application: own.application }
      for (const scope of [other, sameName]) {
        await makeApplication(store, scope)
        const theirs = queue.of(store.app(scope))
        const mine = await jobs.add({
          kind: 'work',
          input: 'mine',
          key: `k ${scope.tenant}`,
          dueAt: Date.now() + 60_000,
        })
        expect(await theirs.get(mine.id)).toBeUndefined()
        expect(await theirs.byKey(mine.key)).toBeUndefined()
        expect(await theirs.cancel(mine.id)).toBe(false)
        expect(await theirs.retry(mine.id)).toBe(false)
        const added = await theirs.add({ kind: 'work', input: 'theirs', key: mine.key })
        expect(added.id).not.toBe(mine.id)
        await reaches(theirs, added.id, 'done')
        expect(await jobs.get(mine.id)).toEqual(mine)
        expect(await jobs.cancel(mine.id)).toBe(true)
      }
      expect(seen).toEqual([other, sameName].map(({ tenant, application }) => `${tenant} ${application} theirs`))
    })

    test('goes on when the store cannot be reached for a while, and says so once', async () => {
      const { store, member } = await world()
      let away = false
      const check = () => {
        if (away) throw new StoreError('unavailable', 'The store is away')
      }
      const failing = {
        ...store,
        due: async (...what: Parameters<typeof store.due>) => {
          check()
          return store.due(...what)
        },
        app: (scope: typeof own) => {
          const app = store.app(scope)
          const write: typeof app.write = async (operations) => {
            check()
            return app.write(operations)
          }
          return { ...app, scope: app.scope, write }
        },
      }
      const leave = gate()
      const run = async () => {
        await leave.passed
        return { output: 'kept' }
      }
      const worker = await member([{ kind: 'work', run }], { store: failing, lookMs: 20 })
      const { id } = await worker.jobs.add({ kind: 'work', input: {} })
      await reaches(worker.jobs, id, 'running')
      away = true
      leave.open()
      await until(
        () => worker.log.length,
        (lines) => lines > 0,
      )
      away = false
      expect(await reaches(worker.jobs, id, 'done')).toMatchObject({ attempts: 1, output: 'kept' })
      expect(worker.log.filter(({ msg }) => /could not be looked at/.test(String(msg)))).toHaveLength(1)
    })
  })
}
