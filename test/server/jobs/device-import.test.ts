import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { deviceImportJob } from '../../../server/jobs/device-import.ts'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { type JobDefinition, JobLost } from '../../../server/jobs/port.ts'
import { openRetention } from '../../../server/jobs/retention.ts'
import type { Happening } from '../../../server/resources/happenings.ts'
import { openImports } from '../../../server/resources/jobs-import.ts'
import { openResources } from '../../../server/resources/resources.ts'
import type { DeviceDocument } from '../../../server/store/documents/devices.ts'
import type { AppStore, Store } from '../../../server/store/port.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { openTestStore, temporaryFolder } from '../../helpers/store.ts'
import { gate, makeApplication, openMember, own, reaches, until } from './world.ts'

const now = Date.now

/** An application with a user `u@example.com`, who sees what has the tag `group` of his group, and a worker. */
async function openWorld(definition: JobDefinition = deviceImportJob()) {
  const store = await openTestStore()
  const app = await makeApplication(store)
  const resources = openResources({ app, now, secret: () => 'a secret of 32 bytes or more....' })
  const group = await resources.groups.create({ name: 'Site' })
  await resources.groups.update(group.id, { deviceTags: [{ key: 'group', value: group.id }] })
  await resources.users.create({ email: 'u@example.com', password: 'long enough 1!', experienceGroupIds: [group.id] })
  const worker = (given = definition) => openMember({ store, dispatch: openLocalDispatch(), lookMs: 20 }, [given])
  const { jobs, queue } = worker()
  const { importDevices } = openImports({ app, now, tenancy: resources.tenancy, jobs })
  const tags = [{ key: 'group', value: group.id }]
  const start = (csv: string, more: object = {}) => importDevices({ csv, requestedBy: 'u@example.com', tags, ...more })
  const done = async (csv: string, more: object = {}) => {
    const { id } = await start(csv, more)
    const job = await until(
      () => jobs.get(id),
      (found) => found?.status === 'done' || found?.status === 'failed',
    )
    return {
      job: job!,
      output: job!.output as { created: number; updated: number; failed: number; problems: unknown[] },
    }
  }
  return { store, app, resources, group, jobs, queue, worker, start, done }
}

async function devicesOf(app: AppStore): Promise<DeviceDocument[]> {
  return app.collection('devices').find({ sort: { field: 'name', direction: 'asc' }, limit: 10_000 })
}

/** Notes the ids of the devices that a worker makes. */
function noteMade(ids: string[]) {
  return async (_app: AppStore, happening: Happening) => {
    if (happening.kind === 'device-create') ids.push(happening.device.id)
  }
}

function tagsOf(device: DeviceDocument | undefined) {
  return Object.fromEntries(device?.tags.map(({ key, value }) => [key, value]) ?? [])
}

test('makes a device of each row, in the group of the flow, and says how far it is', async () => {
  const { app, resources, group, done } = await openWorld()
  const csv = '\uFEFFname,description,serial,floor\r\n"Pump, ""big""",On the roof,S1,2\r\nFan,,S2,\r\n\r\n'
  const { job, output } = await done(csv)
  expect(output).toEqual({ created: 2, updated: 0, failed: 0, problems: [] })
  expect(job.progress).toEqual({ completed: 2, total: 2, status: '2 created, 0 updated, 0 failed' })
  const [fan, pump] = await devicesOf(app)
  expect(pump).toMatchObject({ name: 'Pump, "big"', description: 'On the roof', deviceClass: 'standalone' })
  expect(tagsOf(pump)).toEqual({ serial: 'S1', floor: '2', group: group.id })
  expect(fan).not.toHaveProperty('description')
  expect(tagsOf(fan)).toEqual({ serial: 'S2', group: group.id })
  const listed = await resources.devices.find({ by: 'user', idOrEmail: 'u@example.com' }, {}, {})
  expect(listed.items.map(({ name }) => name)).toEqual(['Fan', 'Pump, "big"'])
  expect(await app.blobs.read((job.input as { csv: string }).csv)).toBeUndefined()
})

test('tells which rows it could not take, and takes the others', async () => {
  const { app, done } = await openWorld()
  const rows = [
    'A,S1,standalone',
    ',S2,',
    'B,S3,rocket',
    'C,S4,peripheral',
    'D,S5,,,too much',
    `E,${'x'.repeat(256)},`,
    'F',
  ]
  const { output } = await done(['name,serial,deviceClass', ...rows].join('\n'))
  expect(output).toMatchObject({ created: 2, updated: 0, failed: 5 })
  expect(output.problems).toEqual([
    { row: 3, message: 'Expected a name, got a blank cell' },
    { row: 4, message: expect.stringContaining('"deviceClass"') },
    { row: 5, message: expect.stringContaining('gateway') },
    { row: 6, message: 'Expected 3 cells, as the header has, got 5' },
    { row: 7, message: 'Expected at most 255 characters as "serial", got 256' },
  ])
  expect((await devicesOf(app)).map(({ name }) => name)).toEqual(['A', 'F'])
})

test('keeps the first 100 problems, and counts all', async () => {
  const { done } = await openWorld()
  const { output } = await done(`name,serial\n${',x\n'.repeat(1_200)}`)
  expect(output).toMatchObject({ created: 0, failed: 1_200 })
  expect(output.problems).toHaveLength(100)
})

describe('by a tag', () => {
  const csv = (first: string) => `name,serial,floor\n${first},S1,2\nNew,S2,3\n`

  test('updates what has it, makes the others, and does so again', async () => {
    const { app, done, group } = await openWorld()
    const tags = [
      { key: 'group', value: group.id },
      { key: 'serial', value: 'S1' },
      { key: 'color', value: 'red' },
    ]
    const { id } = await app.collection('devices').insert({
      ...{ name: 'Old', deviceClass: 'standalone', attributes: [], groupIds: [group.id], tags },
    })
    expect((await done(csv('Renamed'), { matchTag: 'serial' })).output).toMatchObject({ created: 1, updated: 1 })
    expect((await done(csv('Renamed again'), { matchTag: 'serial' })).output).toMatchObject({ created: 0, updated: 2 })
    const [made, old] = await devicesOf(app)
    expect(old).toMatchObject({ id, name: 'Renamed again' })
    expect(tagsOf(old)).toEqual({ color: 'red', serial: 'S1', floor: '2', group: group.id })
    expect(made).toMatchObject({ name: 'New' })
  })

  test('never finds a device that the user who asks does not see', async () => {
    const { app, done } = await openWorld()
    const tags = [
      { key: 'group', value: 'another' },
      { key: 'serial', value: 'S1' },
    ]
    const theirs = await app.collection('devices').insert({
      ...{ name: 'Theirs', deviceClass: 'standalone', attributes: [], groupIds: [], tags },
    })
    expect((await done(csv('Mine'), { matchTag: 'serial' })).output).toMatchObject({
      created: 2,
      updated: 0,
      failed: 0,
    })
    expect(await app.collection('devices').get(theirs.id)).toEqual(theirs)
  })

  test('refuses rows without it, rows that have it twice, and what two devices have', async () => {
    const { app, done, group } = await openWorld()
    for (const name of ['One', 'Two']) {
      const tags = [
        { key: 'group', value: group.id },
        { key: 'serial', value: 'S9' },
      ]
      await app
        .collection('devices')
        .insert({ name, deviceClass: 'standalone', attributes: [], groupIds: [group.id], tags })
    }
    const { output } = await done('name,serial\nA,S1\nB,S1\nC,\nD,S9\n', { matchTag: 'serial' })
    expect(output).toMatchObject({ created: 1, updated: 0, failed: 3 })
    expect(output.problems).toMatchObject([{ row: 3 }, { row: 4 }, { row: 5 }])
  })
})

test('a recipe gives attributes, tags and names', async () => {
  const { app, done } = await openWorld()
  const attributes = [{ name: 'voltage', dataType: 'number' }]
  const template = { deviceClass: 'standalone', attributes, tags: [{ key: 'kind', value: 'pump' }] }
  const { id } = await app.collection('recipes').insert({ name: 'Pump', template })
  const { output } = await done('serial,kind\nS1,\nS2,fan\n', { recipeId: id })
  expect(output).toMatchObject({ created: 2, failed: 0 })
  const [first, second] = await devicesOf(app)
  expect(first).toMatchObject({ name: 'Pump 0001', attributes: [{ name: 'voltage' }] })
  expect(tagsOf(first)).toMatchObject({ serial: 'S1', kind: 'pump', DeviceRecipe: 'Pump' })
  expect(tagsOf(second)).toMatchObject({ serial: 'S2', kind: 'fan' })
})

test('text that looks like anything else stays text', async () => {
  const { app, done } = await openWorld()
  const cells = ['__proto__', '=1+1', '{{x}}', '<b>', "'; DROP TABLE", '\u202Eabc', '🚀', '{"a":1}', 'line\nbreak']
  const { output } = await done(
    `name,__proto__,constructor\n${cells.map((cell) => `"${cell.replaceAll('"', '""')}","${cell.replaceAll('"', '""')}",x\n`).join('')}`,
  )
  expect(output).toMatchObject({ created: cells.length, failed: 0 })
  const devices = await devicesOf(app)
  expect(devices.map(({ name }) => name).sort()).toEqual(cells.toSorted())
  for (const { name, tags } of devices) expect(tags).toContainEqual({ key: '__proto__', value: name })
  expect({}).not.toHaveProperty('x')
})

describe('a worker that ends in the middle', () => {
  const names = (count: number) => Array.from({ length: count }, (_, n) => `Device ${n}`)
  const csv = (count: number) => `name\n${names(count).join('\n')}\n`

  test('killed: the next makes the rest, and no device twice', async () => {
    const file = join(await temporaryFolder(), 'store.db')
    const program = join(import.meta.dirname, 'device-import-crash.ts')
    const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    for await (const line of createInterface({ input: child.stdout })) if (Number(line) === 3_000) child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')

    const store: Store = await openSqlite({ file })
    onTestFinished(() => store.close())
    const app = store.app(own)
    const before = await app.collection('devices').count()
    expect(before).toBe(3_000)
    const [job] = await app.collection('jobs').find()
    const made: string[] = []
    const { jobs, queue } = openMember({ store, dispatch: openLocalDispatch(), lookMs: 20, leaseMs: 500 }, [
      deviceImportJob({ happened: noteMade(made) }),
    ])
    const ended = await reaches(jobs, job!.id, 'done')
    expect(ended).toMatchObject({ attempts: 2, output: { created: 10_000, updated: 0, failed: 0, problems: [] } })
    const devices = await devicesOf(app)
    expect(devices.map(({ name }) => name).sort()).toEqual(names(10_000).sort())
    expect(made).toHaveLength(7_000)
    await queue.close(0)
  })

  test('a start that has lost the job writes nothing more', async () => {
    const [begun, hanging] = [gate(), gate()]
    const ended = Promise.withResolvers<unknown>()
    const first = deviceImportJob({
      async happened() {
        begun.open()
        await hanging.passed
      },
    })
    const { app, jobs, queue, worker, start } = await openWorld({
      ...first,
      async run(context) {
        // Told of nothing: it must notice by itself.
        const running = first.run({ ...context, signal: new AbortController().signal })
        running.then(ended.resolve, ended.resolve)
        return await running
      },
    })
    const { id } = await start(csv(1_200))
    await begun.passed
    await queue.close(0)
    expect(await app.collection('devices').count()).toBe(500)
    const made: string[] = []
    worker(deviceImportJob({ happened: noteMade(made) }))
    expect(await reaches(jobs, id, 'done')).toMatchObject({ output: { created: 1_200, failed: 0 } })
    expect(made).toHaveLength(700)
    const before = await devicesOf(app)
    hanging.open()
    expect(await ended.promise).toBeInstanceOf(JobLost)
    expect(await devicesOf(app)).toEqual(before)
  })

  test('after it has removed the text: the next only ends the job', async () => {
    const { app, jobs, queue, worker, start } = await openWorld()
    await queue.close(0)
    const { id } = await start(csv(3))
    const job = await jobs.get(id)
    await app.blobs.remove((job!.input as { csv: string }).csv)
    const progress = { completed: 3, total: 3, status: '2 created, 0 updated, 1 failed' }
    await app.collection('jobs').update(id, { progress })
    worker()
    expect((await reaches(jobs, id, 'done')).output).toEqual({ created: 2, updated: 0, failed: 1, problems: [] })
    expect(await devicesOf(app)).toEqual([])
  })

  test('a text that is gone before all is written fails the job', async () => {
    const { app, jobs, queue, worker, start } = await openWorld()
    await queue.close(0)
    const { id } = await start(csv(3))
    await app.blobs.remove(((await jobs.get(id))!.input as { csv: string }).csv)
    worker()
    expect(await reaches(jobs, id, 'failed')).toMatchObject({ error: { code: 'import.expired' } })
  })
})

test('stops when it is canceled', async () => {
  const [begun, hanging] = [gate(), gate()]
  const { app, jobs, start } = await openWorld(
    deviceImportJob({
      async happened() {
        begun.open()
        await hanging.passed
      },
    }),
  )
  const { id } = await start(`name\n${'x\n'.repeat(1_200)}`)
  await begun.passed
  await jobs.cancel(id)
  hanging.open()
  await reaches(jobs, id, 'canceled')
  expect(await app.collection('devices').count()).toBe(500)
})

test('imports that were canceled count for the limit of an hour, however many other jobs have ended since', async () => {
  const { app, jobs, start } = await openWorld({ kind: 'none', run: async () => undefined })
  for (let n = 0; n < 20; n += 1) expect(await jobs.cancel((await start('name\nPump')).id)).toBe(true)
  for (let n = 0; n < 5; n += 1) await jobs.cancel((await jobs.add({ kind: 'other', input: n })).id)
  await openRetention({ now, limits: { ended: 2 } }).sweep(app)
  const kinds = (await app.collection('jobs').find()).map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'other')).toHaveLength(2)
  await expect(start('name\nPump')).rejects.toThrow('at most 20 imports')
})
