import { beforeEach, describe, expect, test } from 'vitest'
import { callbackKind } from '../../../server/jobs/export-callback.ts'
import type { ResourceExportOutput } from '../../../server/jobs/resource-export-document.ts'
import { openDataTables } from '../../../server/resources/data-tables.ts'
import { type Exports, openExports } from '../../../server/resources/exports.ts'
import { anyone } from '../../../server/resources/happenings.ts'
import type { JobDocument } from '../../../server/store/documents/jobs.ts'
import type { AppStore } from '../../../server/store/port.ts'
import { openTestWorld, type TestWorld } from '../resources/world.ts'
import { openExports as openHandlers } from './export-world.ts'
import { bytesOf, unzip } from './unzip.ts'

let world: TestWorld
let handlers: ReturnType<typeof openHandlers>
let exports: Exports
const now = () => world.clock.now
const nobody = {}
const by = { type: 'flow', id: 'f'.repeat(24) }
const origin = () => 'https://shop.example.com'
const everything = { start: 0, end: 8.64e15, includeDate: false, includeId: false, filePerDevice: false }

beforeEach(async () => {
  world = await openTestWorld()
  const { app } = world
  await app.collection('application').insert({ id: app.scope.application, name: 'App', globals: [], secret: 's' })
  handlers = openHandlers(app, now)
  exports = openExports({ app, now, jobs: handlers.jobs, origin, by })
})

const jobOf = async (publicId: string, app: AppStore = world.app): Promise<JobDocument> => {
  return (await app.collection('jobs').first({ field: 'key', op: 'eq', value: `data-export:${publicId}` }))!
}

/** Runs the job to its end; gives what it says and its file. */
async function run(publicId: string): Promise<ResourceExportOutput & { bytes: Buffer; text: string }> {
  const output = (await handlers.run(await jobOf(publicId))) as unknown as ResourceExportOutput
  const bytes = await bytesOf(await world.app.blobs.read(output.blobKey))
  return { ...output, bytes, text: bytes.toString() }
}

const attributes = [
  { name: 'n', dataType: 'number' },
  { name: 'place', dataType: 'gps' },
]

async function twoPumps(): Promise<[string, string]> {
  const tags = [
    { key: 'site', value: 'x' },
    { key: 'site', value: 'y' },
    { key: 'id', value: '=1+1' },
  ]
  const one = await world.devices.create({ name: 'Pump 1', attributes, tags, description: 'Says "hi"' }, {})
  const two = await world.devices.create({ name: 'Pump 2', attributes: [attributes[0]] }, {})
  await world.devices.report([
    { deviceId: one.id, time: 1_000, data: { n: 1, place: '1,2' } },
    { deviceId: one.id, time: 2_000, data: { place: '3,4' } },
    { deviceId: two.id, time: 1_500, data: { n: -5 } },
  ])
  return [one.id, two.id]
}

describe('the history of devices', () => {
  test('of one device has the published form', async () => {
    const [one] = await twoPumps()
    const { jobId } = await exports.points({ ...everything, devices: { ids: [one] } }, nobody)
    expect(await run(jobId)).toMatchObject({
      text: 'time,n,place\n1000,1,"1,2"\n2000,,"3,4"\n',
      ...{ contentType: 'text/csv', fileName: 'points-export-2026-01-02.csv' },
    })
  })

  test('of several devices stands in one file, with id and date', async () => {
    const [one, two] = await twoPumps()
    const asked = { ...everything, includeDate: true, includeId: true, devices: { query: {} }, attributes: ['n'] }
    const { text } = await run((await exports.points(asked, nobody)).jobId)
    expect(text.split('\n').sort()).toEqual(
      [
        'ID,Timestamp,Date,n',
        `${one},1000,1970-01-01T00:00:01.000Z,1`,
        `${two},1500,1970-01-01T00:00:01.500Z,-5`,
        '',
      ].sort(),
    )
  })

  test('is cut at start and end', async () => {
    const [one] = await twoPumps()
    const asked = { ...everything, start: 1_001, end: 2_001, devices: { ids: [one] } }
    expect((await run((await exports.points(asked, nobody)).jobId)).text).toBe('time,n,place\n2000,,"3,4"\n')
  })

  test('has a file for each device when that is asked for', async () => {
    const [one, two] = await twoPumps()
    const tags = [{ key: 'site' }]
    const asked = { ...everything, filePerDevice: true, includeId: true, devices: { ids: [two], tags } }
    const { bytes, contentType } = await run((await exports.points(asked, nobody)).jobId)
    expect(contentType).toBe('application/zip')
    const files = (await unzip(bytes)).map(({ path, text }) => [path, text]).sort()
    expect(files).toEqual([
      [`Pump 1-${one}.csv`, `ID,Timestamp,n,place\n${one},1000,1,"1,2"\n${one},2000,,"3,4"\n`],
      [`Pump 2-${two}.csv`, `ID,Timestamp,n\n${two},1500,-5\n`],
    ])
  })

  test('reaches no device of another application', async () => {
    const theirs = await world.other.devices.create({ name: 'Theirs', attributes }, {})
    await world.other.devices.report([{ deviceId: theirs.id, time: 1, data: { n: 1 } }])
    const asked = { ...everything, devices: { ids: [theirs.id] } }
    expect((await run((await exports.points(asked, nobody)).jobId)).text).toBe('time\n')
  })
})

describe('lists', () => {
  test('devices are CSV with a column for each tag key, and no formulas', async () => {
    const [one, two] = await twoPumps()
    const { text } = await run((await exports.devices({ query: {}, format: 'csv' }, nobody)).jobId)
    expect(text).toBe(
      `name,id,description,class,tag.id,site\nPump 1,${one},"Says ""hi""",standalone,'=1+1,"x,y"\nPump 2,${two},,standalone,,\n`,
    )
  })

  test('devices are JSON as the API gives them', async () => {
    await twoPumps()
    const query = { name: { $eq: 'Pump 2' } }
    const { text, contentType } = await run((await exports.devices({ query, format: 'json' }, nobody)).jobId)
    expect(contentType).toBe('application/json')
    expect(JSON.parse(text)).toEqual([expect.objectContaining({ name: 'Pump 2', tags: [], deviceClass: 'standalone' })])
    const none = await exports.devices({ query: { name: { $eq: 'None' } }, format: 'json' }, nobody)
    expect(JSON.parse((await run(none.jobId)).text)).toEqual([])
  })

  test('more than a piece of JSON is whole', async () => {
    for (let n = 0; n < 250; n++) {
      await world.events.create({ level: 'info', subject: `Event ${n}`, data: { text: 'x'.repeat(1_000) } })
    }
    const asked = { query: {}, format: 'json', excludeUpdates: true } as const
    const events = JSON.parse((await run((await exports.events(asked, nobody)).jobId)).text)
    expect(events).toHaveLength(250)
    expect(new Set(events.map(({ subject }: { subject: string }) => subject)).size).toBe(250)
    expect(events[0]).not.toHaveProperty('updates')
  })

  test('events are CSV with their data as JSON', async () => {
    const event = await world.events.create({ level: 'error', subject: 'Hot', data: { n: 1 }, eventTags: { a: 'b' } })
    await world.events.update(event.id, { comment: 'ok' })
    const csv = async (excludeUpdates: boolean) =>
      (await run((await exports.events({ query: {}, format: 'csv', excludeUpdates }, nobody)).jobId)).text
    const [header, row] = (await csv(false)).split('\n')
    expect(header).toBe(
      'id,subject,level,state,message,deviceId,deviceName,sourceType,sourceId,sourceName,creationDate,lastUpdated,data,eventTags,updates',
    )
    expect(row).toContain(`${event.id},Hot,error,new,`)
    expect(row).toContain('"{""n"":1}","{""a"":""b""}"')
    expect(row).toContain('ok')
    expect(await csv(true)).not.toContain('ok')
  })

  test('rows of a table come in the order that is asked for, once in 5 minutes', async () => {
    const { app } = world
    const tables = openDataTables({ app, now, actor: anyone })
    const columns = [{ name: 'n', dataType: 'number', constraint: 'optional' }]
    const { id: tableId } = await tables.create({ name: 'T', columns })
    await tables.insertMany(tableId, [{ n: 2 }, { n: 3 }, { n: 1 }, { n: 0 }])
    const sorted = { query: { n: { $gt: 0 } }, sortColumn: 'n', sortDirection: 'desc', limit: 2, offset: 1 } as const
    const { text } = await run((await exports.rows({ tableId, ...sorted }, nobody)).jobId)
    expect(text.split('\n').map((line) => line.split(',').at(-1))).toEqual(['n', '2', '1', ''])
    await expect(exports.rows({ tableId, query: {} }, nobody)).rejects.toMatchObject({ type: 'RateLimit' })
    world.clock.now += 5 * 60_000
    const all = await run((await exports.rows({ tableId, query: {} }, nobody)).jobId)
    expect(all.text.split('\n')).toHaveLength(6)
    expect(all.expiresAt - world.clock.now).toBe(7 * 86_400_000)
  })

  test('a table that is removed meanwhile fails the export for good', async () => {
    const tables = openDataTables({ app: world.app, now, actor: anyone })
    const { id: tableId } = await tables.create({ name: 'T' })
    const { jobId } = await exports.rows({ tableId, query: {} }, { callbackUrl: 'https://e.example/x' })
    await tables.removeTable(tableId)
    await expect(handlers.run(await jobOf(jobId))).rejects.toMatchObject({ code: 'export.unknown' })
    const [callback] = await handlers.jobsOfKind(callbackKind)
    expect(callback?.input).toEqual({
      url: 'https://e.example/x',
      body: {
        ...{ success: false, jobId, applicationId: world.app.scope.application },
        error: { name: 'ExportError', message: 'The data table was removed meanwhile' },
      },
    })
  })
})

describe('delivery', () => {
  const to = { email: 'a@example.com', callbackUrl: 'https://e.example/hook?iterationId=1&token=2' }

  test('asks for one mail and one callback with the link, together with the end', async () => {
    const { jobId, ...answer } = await exports.devices({ query: {}, format: 'csv' }, to)
    expect(answer).toEqual({ success: true, jobQueued: true })
    expect(jobId).toMatch(/^[\w-]{21}$/)
    expect(await handlers.jobsOfKind('mail')).toEqual([])
    const { downloadUrl } = await run(jobId)
    expect(downloadUrl).toMatch(/^https:\/\/shop\.example\.com\/_exports\/[0-9a-f]{24}\?expires=\d+&signature=[\w-]+$/)
    const [mail, ...moreMails] = await handlers.jobsOfKind('mail')
    expect(mail!.input).toMatchObject({ to: ['a@example.com'], html: expect.stringContaining('/_exports/') })
    const [callback, ...moreCallbacks] = await handlers.jobsOfKind(callbackKind)
    const applicationId = world.app.scope.application
    expect(callback!.input).toEqual({
      url: to.callbackUrl,
      body: { success: true, downloadUrl, jobId, applicationId },
    })
    expect([...moreMails, ...moreCallbacks]).toEqual([])
  })

  test('nobody is told while an attempt fails and others follow; the last one tells the callback', async () => {
    const job = await jobOf((await exports.devices({ query: {}, format: 'csv' }, to)).jobId)
    for (let attempt = 1; attempt <= 5; attempt++) {
      const started = await handlers.start((await world.app.collection('jobs').get(job.id))!)
      const { blobs } = started.context.app
      const full = { ...blobs, put: async () => Promise.reject(new Error('No room on the disk')) }
      started.context.app = { ...started.context.app, blobs: full }
      await expect(started.run()).rejects.toThrow('No room')
      const callbacks = await handlers.jobsOfKind(callbackKind)
      expect(callbacks.length).toBe(attempt === 5 ? 1 : 0)
      expect(JSON.stringify(callbacks)).not.toContain('No room')
    }
    expect(await handlers.jobsOfKind('mail')).toEqual([])
  })

  test.each([
    [{ email: 'no address' }, 'email'],
    [{ email: 'a@example.com, b@example.com' }, 'email'],
    [{ callbackUrl: 'file:///etc/passwd' }, 'callbackUrl'],
    [{ callbackUrl: 'x'.repeat(2_000) }, 'callbackUrl'],
  ])('refuses %j before anything is queued', async (wrong, words) => {
    const asked = exports.devices({ query: {}, format: 'csv' }, wrong)
    await expect(asked).rejects.toMatchObject({ type: 'Validation', message: expect.stringContaining(words) })
    expect(await handlers.jobsOfKind('data-export')).toEqual([])
  })

  test('refuses what cannot be found, and more than 50 that wait', async () => {
    await expect(exports.devices({ query: { nope: 1 }, format: 'csv' }, nobody)).rejects.toMatchObject({
      type: 'Validation',
    })
    await expect(exports.rows({ tableId: 'f'.repeat(24), query: {} }, nobody)).rejects.toMatchObject({
      type: 'NotFound',
    })
    const ask = () => exports.devices({ query: {}, format: 'csv' }, nobody)
    for (let n = 0; n < 50; n++) await ask()
    await expect(ask()).rejects.toMatchObject({ type: 'RateLimit' })
  })
})
