import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openBullDispatch } from '../../../server/jobs/bullmq.ts'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import type { JobContext } from '../../../server/jobs/port.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { openPrivateRedis, whyNoRedisServer } from '../../services/redis.ts'
import { makeApplication, openMember, reaches, until } from './world.ts'

async function fileStore() {
  const file = join(await temporaryFolder(), 'store.db')
  const store = await openSqlite({ file })
  onTestFinished(() => store.close())
  const app = await makeApplication(store)
  return { file, store, app }
}

/** Starts a worker process; `lines` are what it has said so far. */
function startWorker(args: readonly string[]) {
  const script = join(import.meta.dirname, 'worker-process.ts')
  const worker: ChildProcess = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: worker.stdout! }).on('line', (line) => lines.push(line))
  const ended = once(worker, 'exit')
  const kill = async () => {
    worker.kill('SIGKILL')
    await ended
  }
  onTestFinished(kill)
  const says = (start: string) =>
    until(
      () => lines,
      (said) => said.some((line) => line.startsWith(start)),
    )
  return { lines, ended, kill, says }
}

describe('processes that die', () => {
  test('a job whose worker is killed in the middle is finished by another, as its second attempt', async () => {
    const { file, store } = await fileStore()
    const web = openMember({ store, dispatch: openLocalDispatch() })
    const { id } = await web.jobs.add({ kind: 'slow', input: {} })
    const worker = startWorker([file])
    await worker.says(`slow ${id}`)
    await worker.kill()
    const left = await web.jobs.get(id)
    expect(left).toMatchObject({ status: 'running', attempts: 1, progress: { completed: 1, total: 2 } })

    const run = async ({ attempt }: JobContext) => ({ output: `attempt ${attempt}` })
    const options = { store, dispatch: openLocalDispatch(), lookMs: 50, leaseMs: 600 }
    const rescuer = openMember(options, [{ kind: 'slow', run, backoffMs: { first: 20, most: 40 } }])
    const done = await reaches(rescuer.jobs, id, 'done')
    expect(done).toMatchObject({ attempts: 2, output: 'attempt 2' })
    expect(done.startedAt).toBeGreaterThanOrEqual(left!.leaseUntil!)
  })

  test('a job that kills its process each time fails for good, and the others are done', async () => {
    const { file, store, app } = await fileStore()
    const { jobs } = openMember({ store, dispatch: openLocalDispatch() })
    const good: string[] = []
    for (let n = 0; n < 10; n++) good.push((await jobs.add({ kind: 'good', input: n })).id)
    const poison = await jobs.add({ kind: 'poison', input: {} })
    for (let n = 0; n < 30; n++) good.push((await jobs.add({ kind: 'good', input: n })).id)
    let died = 0
    // As whatever keeps the server running does.
    const supervise = (): ReturnType<typeof startWorker> => {
      const started = startWorker([file])
      started.ended.then(([code]) => {
        if (code !== 1) return
        died += 1
        worker = supervise()
      })
      return started
    }
    let worker = supervise()
    const failed = await reaches(jobs, poison.id, 'failed')
    expect(failed).toMatchObject({
      attempts: 3,
      error: { code: 'job.died', message: expect.stringMatching(/3 times/) },
    })
    for (const id of good) await reaches(jobs, id, 'done')
    expect(died).toBe(3)
    expect(await app.collection('jobs').count({ field: 'leaseUntil', op: 'ne', value: null })).toBe(0)
    await worker.kill()
  })
})

const reason = whyNoRedisServer()

requireOrSkip(
  'redis-server',
  reason === undefined,
  reason ?? '',
)('Redis that dies', () => {
  test('stopped and started under load, every job that was added ends once', async () => {
    const { store, app } = await fileStore()
    const redis = await openPrivateRedis()
    onTestFinished(redis.close)
    const log = pino({ level: 'silent' })
    const ran = new Map<string, number>()
    const run = async ({ id }: JobContext) => {
      ran.set(id, (ran.get(id) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      return undefined
    }
    const open = async (kinds?: { kind: string; run: typeof run }[]) => {
      const dispatch = await openBullDispatch({ url: redis.url, log })
      return openMember({ store, dispatch, lookMs: 100 }, kinds)
    }
    const web = await open()
    const workers = [await open([{ kind: 'work', run }]), await open([{ kind: 'work', run }])]
    const added: string[] = []
    const add = async (count: number) => {
      for (let n = 0; n < count; n++) {
        added.push((await web.jobs.add({ kind: 'work', input: n })).id)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    const ended = () =>
      until(
        () => app.collection('jobs').count({ field: 'status', op: 'eq', value: 'done' }),
        (count) => count === added.length,
      )
    await add(100)
    await redis.kill()
    await add(100)
    await until(
      () =>
        web.queue.check().then(
          () => 'there',
          (error: Error) => error.message,
        ),
      (answer) => answer !== 'there',
    )
    // Nobody has to wait for Redis: what is added while it is away is done, too.
    await ended()
    await redis.start()
    await add(100)
    await ended()
    await until(
      () =>
        web.queue.check().then(
          () => 'there',
          (error: Error) => error.message,
        ),
      (answer) => answer === 'there',
    )
    await add(50)
    await ended()
    expect([...ran.keys()].toSorted()).toEqual(added.toSorted())
    expect(new Set(ran.values())).toEqual(new Set([1]))
    expect(workers.flatMap(({ ends }) => ends).every(({ status }) => status === 'done')).toBe(true)
    for (const { log: lines } of workers) expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([])
  })
})
