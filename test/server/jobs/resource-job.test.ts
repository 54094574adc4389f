import { beforeEach, describe, expect, test } from 'vitest'
import type { RunJobInput } from '../../../server/flows/run-job.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { JobContext } from '../../../server/jobs/port.ts'
import { resourceJob } from '../../../server/jobs/resource-job.ts'
import { anyone } from '../../../server/resources/happenings.ts'
import { readNewResourceJob } from '../../../server/resources/resource-job-fields.ts'
import { openResourceJobs, type ResourceJobResource } from '../../../server/resources/resource-jobs.ts'
import type { AppStore, WriteOperation } from '../../../server/store/port.ts'
import { type Firing, openFiring } from '../flows/firing.ts'

let world: Firing
let jobs: ResourceJobResource
let deaths: { left: number; after: boolean }
beforeEach(async () => {
  world = await openFiring()
  deaths = { left: Number.POSITIVE_INFINITY, after: false }
  jobs = serviceOf(world.app)
})

const now = () => world.clock.now
const queueOf = (app: AppStore) => openJobs({ app, now, wake: () => undefined, nudge: () => undefined })
const serviceOf = (app: AppStore, depth = 0) =>
  openResourceJobs({ app, now, jobs: queueOf(app), actor: { ...anyone, type: 'flow', id: 'f1', depth } })

class Death extends Error {}

/** A write that the worker does not survive: it dies before or after it. */
async function dying(operations: readonly WriteOperation[]): Promise<void> {
  deaths.left -= 1
  if (deaths.left === 0 && !deaths.after) throw new Death()
  await world.app.write(operations)
  if (deaths.left === 0) throw new Death()
}

/** Works on what is due, until nothing is; a worker that dies leaves its job behind, as the queue would find it again. */
async function work(app = world.app): Promise<void> {
  const definition = resourceJob({ now, plans: world.plans, jobsOf: queueOf, resources: (app) => world.resources(app) })
  for (;;) {
    const filter = {
      all: [
        { field: 'kind', op: 'eq', value: 'resource-job' },
        { field: 'status', op: 'eq', value: 'queued' },
        { field: 'dueAt', op: 'lte', value: now() },
      ],
    } as const
    const [job] = await world.app.collection('jobs').find({ filter, limit: 1 })
    if (job === undefined) return
    const { signal } = new AbortController()
    const context = { app, id: job.id, input: job.input, attempt: 1, signal, write: dying }
    try {
      await definition.run(context as unknown as JobContext)
      await world.app.collection('jobs').update(job.id, { status: 'done', dueAt: undefined })
    } catch (error) {
      if (!(error instanceof Death)) throw error
    }
  }
}

/** What the runs that wait get, of one type of trigger. */
async function runs(type: string): Promise<Record<string, unknown>[]> {
  const inputs = (await world.waiting()).filter(({ triggerType }: RunJobInput) => triggerType === type)
  return inputs.map(({ data }) => data as Record<string, unknown>)
}
const iterationIds = async () => (await runs('resourceJobIteration')).map(({ iterationId }) => String(iterationId))
const names = async () =>
  (await runs('resourceJobIteration')).map(({ device }) => (device as { name: string }).name).join('')
const complete = async () => (await runs('resourceJobComplete'))[0]

async function make(settings: object = {}, devices = 'abc'): Promise<string> {
  for (const name of devices) await world.resources().devices.create({ name, tags: [{ key: 'k', value: name }] }, {})
  const fields = readNewResourceJob({ name: 'Job', resourceType: 'device', ...settings })
  const { id } = await world.app.collection('resourceJobs').insert(fields)
  const types = ['resourceJobIteration', 'resourceJobIterationTimeout', 'resourceJobComplete']
  const triggers = types.map((type) => ({ type, key: id, config: {}, outputIds: [[]] }))
  await world.addFlow({ name: 'Listens', triggers })
  return id
}
const acknowledge = async (iterationId: string | undefined, success = true, more: object = {}) => {
  const done = await jobs.acknowledge({ iterationId: iterationId!, success, ...more })
  await work()
  return done
}
async function start(settings: object = {}, devices?: string, request: object = {}) {
  const jobId = await make(settings, devices)
  const { executionId } = await jobs.execute({ jobId, ...request })
  await work()
  return { jobId, executionId }
}

describe('an execution', () => {
  test('runs one iteration after the other, each with its resource, and tells of its end', async () => {
    const { jobId, executionId } = await start({}, 'abc', { context: { month: 'May' } })
    expect(await names()).toHaveLength(1)
    for (let i = 0; i < 3; i++) {
      expect(await names()).toHaveLength(i + 1)
      expect(await complete()).toBeUndefined()
      await acknowledge((await iterationIds())[i])
    }
    expect([...(await names())].sort().join('')).toBe('abc')
    const [first] = await runs('resourceJobIteration')
    expect(first).toMatchObject({
      device: { tags: { k: [expect.any(String)] }, attributes: {} },
      execution: {
        ...{ id: executionId, status: 'inProgress', context: { month: 'May' }, runStartedAt: expect.any(String) },
      },
      ...{ willRetryOnFailure: false, willRetryOnTimeout: false },
    })
    const [{ relay, triggerId, depth } = {}] = await world.waiting()
    expect({ relay, triggerId, depth }).toEqual({
      ...{ relay: { type: 'resourceJob', id: jobId }, triggerId: jobId, depth: 1 },
    })
    expect(await runs('resourceJobComplete')).toHaveLength(1)
    expect(await complete()).toMatchObject({
      ...{ resourceJob: { id: jobId, name: 'Job' }, success: true },
      execution: {
        ...{ status: 'completed', runCompletedAt: expect.any(String) },
        executionSummary: { succeeded: 3, failed: 0, timedOut: 0, inProgress: 0, remaining: 0 },
        executionReportUrl: expect.stringMatching(/^\/_files\/.*\.csv\?expires=\d+&signature=/),
      },
    })
  })

  test('of nothing is over at once', async () => {
    await start({}, '')
    expect(await complete()).toMatchObject({ success: true, execution: { executionSummary: { succeeded: 0 } } })
  })

  test('has up to ten iterations at a time when it may', async () => {
    await start({ maxIterationConcurrency: 10 }, 'abcdefghijkl')
    expect(await iterationIds()).toHaveLength(10)
    await acknowledge((await iterationIds())[4])
    expect(await iterationIds()).toHaveLength(11)
  })

  test('waits between the starts of iterations', async () => {
    await start({ maxIterationConcurrency: 10, iterationDelay: 5_000 })
    expect(await iterationIds()).toHaveLength(1)
    world.clock.now += 4_999
    await work()
    expect(await iterationIds()).toHaveLength(1)
    world.clock.now += 1
    await work()
    expect(await iterationIds()).toHaveLength(2)
    world.clock.now += 50_000
    await work()
    expect(await iterationIds()).toHaveLength(3)
  })

  test('lets iterations that nobody acknowledges end in time, and takes no acknowledgement then', async () => {
    await start({ iterationTimeout: 60_000 }, 'ab')
    const [first] = await iterationIds()
    world.clock.now += 60_000
    await expect(jobs.acknowledge({ iterationId: first!, success: true })).rejects.toMatchObject({ type: 'NotFound' })
    await work()
    expect(await runs('resourceJobIterationTimeout')).toMatchObject([
      { iterationId: first, iterationStartedAt: expect.any(String), device: {}, execution: { status: 'inProgress' } },
    ])
    await acknowledge((await iterationIds())[1])
    expect(await complete()).toMatchObject({
      success: false,
      execution: { status: 'errored', executionSummary: { succeeded: 1, timedOut: 1 } },
    })
  })

  test('tries again after a failure, after the delay, as often as it may', async () => {
    const retry = { retryOnFailure: true, maxIterationRetries: 2, retryDelay: 10_000 }
    await start(retry, 'a')
    for (const left of [true, true, false]) {
      const all = await runs('resourceJobIteration')
      expect(all.at(-1)).toMatchObject({ willRetryOnFailure: left, willRetryOnTimeout: false })
      await acknowledge(String(all.at(-1)?.iterationId), false, { message: 'no' })
      expect(await iterationIds()).toHaveLength(all.length)
      world.clock.now += 10_000
      await work()
    }
    expect(await iterationIds()).toHaveLength(3)
    expect(await complete()).toMatchObject({ success: false, execution: { executionSummary: { failed: 1 } } })
  })

  test('tries again after the time is over only when it may', async () => {
    await start({ retryOnTimeout: true }, 'a')
    world.clock.now += 60_000
    await work()
    expect(await iterationIds()).toHaveLength(2)
    world.clock.now += 60_000
    await work()
    expect(await runs('resourceJobIterationTimeout')).toHaveLength(2)
    expect(await complete()).toMatchObject({ execution: { executionSummary: { timedOut: 1 } } })
  })

  test('does not retry a failure without the flag', async () => {
    await start({}, 'a')
    await acknowledge((await iterationIds())[0], false)
    expect(await complete()).toMatchObject({ success: false, execution: { executionSummary: { failed: 1 } } })
  })

  test('hands the accumulator on, where there is one iteration at a time', async () => {
    await start({}, 'ab')
    const done = await acknowledge((await iterationIds())[0], true, { accumulator: { n: 1 } })
    expect(done).toMatchObject({ success: true, accumulator: '{"n":1}' })
    expect((await runs('resourceJobIteration'))[1]).toMatchObject({ accumulator: '{"n":1}' })
    await acknowledge((await iterationIds())[1])
    expect(await complete()).toMatchObject({ accumulator: '{"n":1}' })
  })

  test('takes each iteration as done once', async () => {
    await start({}, 'a')
    const [id] = await iterationIds()
    const both = await Promise.allSettled([
      jobs.acknowledge({ iterationId: id!, success: true }),
      jobs.acknowledge({ iterationId: id!, success: false }),
    ])
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(jobs.acknowledge({ iterationId: id!, success: true })).rejects.toMatchObject({ type: 'NotFound' })
    for (const iterationId of ['', 'x', 'f'.repeat(24), '../']) {
      await expect(jobs.acknowledge({ iterationId, success: true })).rejects.toMatchObject({ type: 'NotFound' })
    }
  })

  test('leaves out what is gone meanwhile', async () => {
    await start({}, 'ab')
    const waiting = await world.app.collection('resourceIterations').find()
    const { resourceId } = waiting.find(({ state }) => state === 'waiting')!
    await world.resources().devices.remove(resourceId)
    await acknowledge((await iterationIds())[0])
    expect(await iterationIds()).toHaveLength(1)
    expect(await complete()).toMatchObject({ success: true, execution: { executionSummary: { succeeded: 2 } } })
  })

  test('begins nothing more once it is canceled', async () => {
    const { jobId, executionId } = await start({}, 'abc')
    await jobs.cancel(jobId, executionId)
    await work()
    expect(await complete()).toBeUndefined()
    await acknowledge((await iterationIds())[0])
    expect(await iterationIds()).toHaveLength(1)
    expect(await complete()).toMatchObject({
      success: false,
      execution: { status: 'canceled', executionSummary: { succeeded: 1, remaining: 2 } },
    })
    await expect(jobs.cancel(jobId, executionId)).rejects.toMatchObject({ type: 'NotFound' })
  })

  test('reports what became of each iteration', async () => {
    await start({}, 'ab')
    await acknowledge((await iterationIds())[0], true, { message: '=1+1' })
    await acknowledge((await iterationIds())[1], false, { message: `${'x'.repeat(300)}` })
    const [file] = await world.app.collection('files').find()
    expect(file).toMatchObject({ private: true, path: expect.stringMatching(/^\/resource-jobs\/\w+\/\w+\.csv$/) })
    const { content } = (await world.resources().filesAs(anyone).read({ path: file!.path, private: true }))!
    const lines = Buffer.from(content).toString().trim().split('\n')
    expect(lines[0]).toBe('iterationId,resourceId,status,message,attempts,startedAt,completedAt')
    expect(lines).toHaveLength(3)
    expect(lines.find((line) => line.includes('succeeded'))).toContain(",'=1+1,1,2026-")
    expect(lines.find((line) => line.includes('failed'))).toContain(`,${'x'.repeat(256)},1,`)
  })

  test('is of what its query finds, which is made of the context', async () => {
    await start({ queryJson: '{"name":{"$eq":"{{ctx.name}}"}}', defaultContext: '{"name":"b"}' })
    expect(await names()).toBe('b')
  })

  test('whose query cannot be asked ends with an error', async () => {
    await start({ queryJson: '{"nope":1}' })
    expect(await complete()).toMatchObject({
      success: false,
      execution: { status: 'errored', error: expect.stringContaining('nope') },
    })
  })

  test.each([
    [{ queryJson: '{' }, 'queryJson'],
    [{ queryJson: '{{#each ctx}}' }, 'queryJson'],
    [{ context: [1] }, 'context'],
    [{ context: { big: 'x'.repeat(70_000) } }, 'context'],
  ])('is refused with %o', async (request, words) => {
    const jobId = await make()
    const refused = jobs.execute({ jobId, ...request } as never)
    await expect(refused).rejects.toMatchObject({ type: 'Validation', message: expect.stringContaining(words) })
  })

  test('is refused at the end of a long chain, and where too many go on', async () => {
    const jobId = await make()
    await expect(serviceOf(world.app, 20).execute({ jobId })).rejects.toMatchObject({ type: 'RateLimit' })
    for (let i = 0; i < 100; i++) await jobs.execute({ jobId })
    await expect(jobs.execute({ jobId })).rejects.toMatchObject({ type: 'RateLimit' })
  })

  test('is for users and groups, too', async () => {
    const { users, groups } = world.resources()
    await users.create({ email: 'a@example.com', password: 'a long password' })
    await groups.create({ name: 'G' })
    await start({ resourceType: 'experienceUser' }, '')
    await start({ resourceType: 'experienceGroup' }, '')
    const all = await runs('resourceJobIteration')
    expect(all).toMatchObject([{ experienceUser: { email: 'a@example.com' } }, { experienceGroup: { name: 'G' } }])
    expect(JSON.stringify(all)).not.toContain('argon')
  })
})

describe('an execution for rows of a data table', () => {
  const rows = () => world.resources().dataTables

  async function table(name: string, values: readonly number[]): Promise<string> {
    const { id } = await rows().create({ name, columns: [{ name: 'n', dataType: 'number', constraint: 'optional' }] })
    for (const n of values) await rows().insert(id, { n })
    return id
  }

  test('has an iteration for each row that its query finds, with the row', async () => {
    const dataTableId = await table('t', [1, 2, 3, 4])
    await table('other', [5])
    await start(
      {
        resourceType: 'dataTableRow',
        dataTableId,
        queryJson: '{"n": {"$gt": {{ctx.least}} } }',
        defaultContext: '{"least":2}',
        maxIterationConcurrency: 10,
      },
      '',
    )
    const seen = (await runs('resourceJobIteration')).map(({ dataTableRow }) => (dataTableRow as { n: number }).n)
    expect(seen.toSorted()).toEqual([3, 4])
    for (const id of await iterationIds()) await acknowledge(id)
    expect(await complete()).toMatchObject({ success: true, execution: { executionSummary: { succeeded: 2 } } })
  })

  test('takes the table of its context, and more rows than are read at once', async () => {
    const dataTableId = await table('many', [])
    const row = (n: number) => ({ insert: 'dataTableRows' as const, document: { tableId: dataTableId, cells: { n } } })
    await world.app.write(Array.from({ length: 1_005 }, (_, n) => row(n)))
    const settings = { resourceType: 'dataTableRow', dataTableId: '{{ctx.table}}', maxIterationConcurrency: 10 }
    const { executionId } = await start(settings, '', { context: { table: dataTableId } })
    expect(await iterationIds()).toHaveLength(10)
    expect(await world.app.collection('resourceExecutions').get(executionId)).toMatchObject({ total: 1_005 })
    expect(await world.app.collection('resourceIterations').count()).toBe(1_005)
  })

  test('leaves out rows that are gone meanwhile, alone or with their table', async () => {
    const dataTableId = await table('t', [1, 2, 3])
    await start({ resourceType: 'dataTableRow', dataTableId }, '')
    const waiting = await world.app
      .collection('resourceIterations')
      .find({ sort: { field: 'position', direction: 'asc' } })
    await rows().remove(dataTableId, { by: 'id', id: waiting[1]!.resourceId })
    await acknowledge((await iterationIds())[0])
    expect(await iterationIds()).toHaveLength(2)
    await rows().removeTable(dataTableId)
    await acknowledge((await iterationIds())[1])
    expect(await complete()).toMatchObject({ success: true, execution: { executionSummary: { succeeded: 3 } } })
  })

  test('whose table is not there, or is that of another application, ends with an error', async () => {
    const other = world.store.app({ ...world.app.scope, application: 'b'.repeat(24) })
    const theirs = await world.resources(other).dataTables.create({ name: 't', columns: [] })
    await start({ resourceType: 'dataTableRow', dataTableId: theirs.id }, '')
    expect(await complete()).toMatchObject({
      success: false,
      execution: { status: 'errored', error: expect.any(String), executionSummary: { succeeded: 0 } },
    })
  })
})

describe('a worker that dies', () => {
  // Listing, three starts and the end: each of these writes, before and after.
  test.each([1, 2, 3, 4, 5, 6].flatMap((write) => [false, true].map((after) => [write, after] as const)))(
    'at write %i (after it: %s) neither loses nor doubles anything',
    async (left, after) => {
      deaths = { left, after }
      await start()
      for (let i = 0; i < 3; i++) await acknowledge((await iterationIds())[i])
      expect([...(await names())].sort().join('')).toBe('abc')
      expect(new Set(await iterationIds()).size).toBe(3)
      expect(await runs('resourceJobComplete')).toHaveLength(1)
      expect(await complete()).toMatchObject({ execution: { executionSummary: { succeeded: 3 } } })
      expect(deaths.left).toBeLessThanOrEqual(0)
    },
  )

  test('leaves the execution to another that looks at the same time', async () => {
    await start({ maxIterationConcurrency: 10 }, '')
    const jobId = await make({ maxIterationConcurrency: 10 }, 'defgh')
    await jobs.execute({ jobId })
    await Promise.all([work(), work(), work()])
    expect(await iterationIds()).toHaveLength(5)
  })
})

describe('what is kept of executions', () => {
  const executions = () => world.app.collection('resourceExecutions')
  const counts = async () => ({
    executions: await executions().count(),
    iterations: await world.app.collection('resourceIterations').count(),
    files: await world.app.collection('files').count(),
  })
  const day = 86_400_000

  async function endOne(jobId: string) {
    const before = (await iterationIds()).length
    await jobs.execute({ jobId })
    await work()
    for (const id of (await iterationIds()).slice(before)) await acknowledge(id)
  }

  test('is all of the last 30 days; then they go with their iterations and reports, and nothing else', async () => {
    const jobId = await make({ maxIterationConcurrency: 10 }, 'ab')
    await endOne(jobId)
    world.clock.now += 10 * day
    await endOne(jobId)
    const blobs = (await world.app.collection('files').find()).map(({ blob }) => blob)
    expect(await counts()).toEqual({ executions: 2, iterations: 4, files: 2 })
    world.clock.now += 20 * day - 1
    await work()
    expect(await counts()).toEqual({ executions: 2, iterations: 4, files: 2 })
    world.clock.now += 1
    await work()
    expect(await counts()).toEqual({ executions: 1, iterations: 2, files: 1 })
    const [left] = await world.app.collection('files').find()
    const there = await Promise.all(blobs.map(async (blob) => (await world.app.blobs.read(blob)) !== undefined))
    expect(there).toEqual(blobs.map((blob) => blob === left!.blob))
    world.clock.now += 10 * day
    await work()
    expect(await counts()).toEqual({ executions: 0, iterations: 0, files: 0 })
    expect(await world.app.collection('resourceJobs').count()).toBe(1)
    const waiting = await world.app.collection('jobs').count({ field: 'dueAt', op: 'gt', value: now() })
    expect(waiting).toBe(0)
  })

  test('is no more than the newest hundred of each resource job, and all that go on', async () => {
    const jobId = await make({}, 'a')
    await endOne(await make({}, ''))
    const ended = (n: number) => ({
      ...{ jobId, name: 'Job', resourceType: 'device' as const, status: 'completed' as const, context: {}, query: {} },
      ...{ maxIterationConcurrency: 1 as const, iterationDelay: 0, iterationTimeout: 60_000, retryOnTimeout: false },
      ...{ retryOnFailure: false, maxIterationRetries: 1, retryDelay: 0, depth: 0, sourceType: 'flow', sourceId: 'f' },
      ...{ total: 0, startedAt: now(), completedAt: now() - 1_000 + n },
    })
    for (let n = 0; n < 110; n++) await executions().insert(ended(n))
    const [oldest] = await executions().find({ sort: { field: 'completedAt', direction: 'asc' }, limit: 1 })
    const going = await jobs.execute({ jobId })
    await endOne(jobId)
    const mine = { field: 'jobId', op: 'eq', value: jobId } as const
    const done = { all: [mine, { field: 'completedAt', op: 'ne', value: null }] } as const
    expect(await executions().count(done)).toBeLessThanOrEqual(100)
    expect(await executions().get(oldest!.id)).toBeUndefined()
    expect(await executions().get(going.executionId)).toBeDefined()
    expect(await executions().count({ not: mine })).toBe(1)
  })

  test('goes whole, however often the worker that removes it dies', async () => {
    const jobId = await make({}, 'ab')
    await endOne(jobId)
    for (const id of (await iterationIds()).slice(1)) await acknowledge(id)
    world.clock.now += 30 * day
    for (const after of [false, true, false, true]) {
      deaths = { left: after ? 2 : 1, after }
      await work()
    }
    deaths = { left: Number.POSITIVE_INFINITY, after: false }
    await work()
    expect(await counts()).toEqual({ executions: 0, iterations: 0, files: 0 })
  })
})

test('a worker that has counted what runs begins nothing when another began something since', async () => {
  await jobs.execute({ jobId: await make() })
  const iterations = world.app.collection('resourceIterations')
  let finds = 0
  const find: typeof iterations.find = async (query) => {
    // After the first, which counts; the other worker takes the same job, and ends a whole step.
    if (++finds === 2) await work()
    return await iterations.find(query)
  }
  const slow: AppStore['collection'] = (name) =>
    name === 'resourceIterations' ? ({ ...iterations, find } as never) : world.app.collection(name)
  await work({ ...world.app, collection: slow })
  expect(finds).toBeGreaterThan(2)
  expect(await iterationIds()).toHaveLength(1)
})

test('another application neither executes, acknowledges nor cancels it', async () => {
  const { jobId, executionId } = await start({}, 'a')
  const other = world.store.app({ tenant: world.app.scope.tenant, application: 'b'.repeat(24) })
  const theirs = serviceOf(other)
  const [iterationId] = await iterationIds()
  await expect(theirs.execute({ jobId })).rejects.toMatchObject({ type: 'NotFound' })
  await expect(theirs.acknowledge({ iterationId: iterationId!, success: true })).rejects.toMatchObject({
    type: 'NotFound',
  })
  await expect(theirs.cancel(jobId, executionId)).rejects.toMatchObject({ type: 'NotFound' })
  expect(await world.app.collection('resourceIterations').get(iterationId!)).toMatchObject({ state: 'running' })
})
