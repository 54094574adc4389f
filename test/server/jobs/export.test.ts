import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ExportOutput } from '../../../server/jobs/export-document.ts'
import { JobLost } from '../../../server/jobs/port.ts'
import { openRetention } from '../../../server/jobs/retention.ts'
import type { DeviceDocument } from '../../../server/store/documents/devices.ts'
import type { AppStore, StatePoint, WriteOperation } from '../../../server/store/port.ts'
import { tenancyWrite } from '../../../server/tenancy/write.ts'
import { openTestStore, runsOf } from '../../helpers/store.ts'
import { groupSees, readFacts, sees } from '../tenancy/oracle.ts'
import { openExports } from './export-world.ts'
import { bytesOf, type Unzipped, unzip } from './unzip.ts'

const now = Date.UTC(2026, 0, 2, 3, 4, 6)
const idOf = (kind: string, n: number) => `${kind}${n.toString(16).padStart(23, '0')}`
const [root, left, right] = [idOf('a', 0), idOf('a', 1), idOf('a', 2)]
const [boss, mate, stranger] = [idOf('b', 0), idOf('b', 1), idOf('b', 2)]
const none: DeviceDocument['attributes'] = []

const group = (id: string, parentId?: string): WriteOperation => ({
  insert: 'groups',
  document: {
    ...{ id, name: `Group ${id}`, parentId, ancestorIds: [], groupTags: {}, deviceIds: [] },
    deviceTags: [{ key: 'group', value: id }],
  },
})
const user = (id: string, experienceGroupIds: string[]): WriteOperation => {
  const email = `${id.slice(0, 1)}${Number.parseInt(id.slice(1), 16)}@example.com`
  return { insert: 'users', document: { id, email, emailKey: email, userTags: {}, experienceGroupIds } }
}
const device = (n: number, groups: string[], more: Partial<DeviceDocument> = {}): WriteOperation => ({
  insert: 'devices',
  document: {
    ...{ id: idOf('d', n), name: `Device ${n}`, deviceClass: 'standalone', attributes: none, groupIds: [] },
    tags: groups.map((value) => ({ key: 'group', value })),
    ...more,
  },
})

/** root above left and right; boss in root, mate in left, stranger in none. */
async function openWorld(devices: WriteOperation[] = [], points: StatePoint[] = []) {
  const store = await openTestStore()
  const open = async (application: string, more: WriteOperation[]) => {
    const app = store.app({ tenant: 't1', application: application.repeat(24) })
    const people = [user(boss, [root]), user(mate, [left]), user(stranger, [])]
    await tenancyWrite(app, [group(root), group(left, root), group(right, root), ...people, ...more])
    return app
  }
  const app = await open('1', devices)
  // What must not come into any archive: the same ids in another application.
  const other = await open('2', [device(1, [left], { name: 'Foreign' })])
  await other.telemetry.append([{ deviceId: idOf('d', 1), time: 5, data: { secret: 'foreign' } }])
  await app.telemetry.append(points)
  return { store, app, exports: openExports(app, () => now) }
}

async function contentOf(app: AppStore, output: ExportOutput): Promise<Unzipped[]> {
  const bytes = await bytesOf(await app.blobs.read(output.blobKey))
  expect(bytes.length).toBe(output.sizeBytes)
  return await unzip(bytes)
}

const rowsOf = (text: string) => parse(text, { columns: true, recordDelimiter: '\n' }) as Record<string, string>[]
const fileOf = (files: Unzipped[], path: string) => files.find((one) => one.path === path)!
const manifestOf = (files: Unzipped[]) => JSON.parse(fileOf(files, 'manifest.json').text)
const reports = (deviceId: string, times: number[]) =>
  times.map((time): StatePoint => ({ deviceId, time, data: { celsius: time / 2 } }))

test('holds the devices of the user, their history and a manifest that says so', async () => {
  const tags = [
    { key: 'group', value: left },
    { key: 'site', value: 'a' },
    { key: 'site', value: 'b' },
    { key: 'name', value: 'nick' },
  ]
  const pump = device(1, [], { name: 'Pump', description: 'Of "steel"', tags })
  const where = { deviceId: idOf('d', 1), time: 1_000, data: { gps: '-33.8,151.2', on: true, celsius: 20.5 } }
  const { app, exports } = await openWorld(
    [pump, device(2, [left]), device(3, [right])],
    [where, { deviceId: idOf('d', 1), time: 2_000, data: { celsius: -1 } }, ...reports(idOf('d', 3), [1])],
  )
  const job = await exports.ask(mate)
  const output = await exports.run(job)
  const files = await contentOf(app, output)
  const path = `data/Pump-${idOf('d', 1)}.csv`
  expect(files.map((one) => one.path)).toEqual([path, 'devices.csv', 'manifest.json'])
  expect(fileOf(files, path).text).toBe(
    `time,date,celsius,gps,on\n1000,1970-01-01T00:00:01.000Z,20.5,"-33.8,151.2",true\n2000,1970-01-01T00:00:02.000Z,-1,,\n`,
  )
  expect(fileOf(files, 'devices.csv').text).toBe(
    [
      'id,name,class,description,points,file,group,tag.name,site',
      `${idOf('d', 1)},Pump,standalone,"Of ""steel""",2,${path},${left},nick,"a,b"`,
      `${idOf('d', 2)},Device 2,standalone,,0,,${left},,`,
      '',
    ].join('\n'),
  )
  const { sizeBytes, sha256 } = fileOf(files, path)
  const list = fileOf(files, 'devices.csv')
  expect(manifestOf(files)).toEqual({
    ...{ format: 'headgate-data-export', formatVersion: 1, application: '1'.repeat(24), requestedBy: mate },
    subject: { kind: 'experienceUser', id: mate, name: 'b1@example.com' },
    created: '2026-01-02T03:04:06.000Z',
    range: { start: '1970-01-01T00:00:00.000Z', end: '+275760-09-13T00:00:00.000Z', attributes: null },
    files: [
      { path: 'devices.csv', sizeBytes: list.sizeBytes, sha256: list.sha256 },
      { deviceId: idOf('d', 1), points: 2, path, sizeBytes, sha256 },
    ],
    counts: { devices: 2, files: 2, points: 2 },
  })
  expect(output).toMatchObject({ devices: 2, points: 2, fileName: 'b1-example-com-export-2026-01-02.zip' })
  expect(output.expiresAt).toBe(now + 24 * 3_600_000)
  expect(await exports.jobsOfKind('mail')).toMatchObject([
    { key: `mail:${job.id}`, input: { to: ['b1@example.com'], subject: 'Your data export is ready' } },
  ])
})

const world = fc.record({
  devices: fc.array(
    fc.record({
      groups: fc.uniqueArray(fc.constantFrom(root, left, right), { maxLength: 3 }),
      name: fc.oneof(
        fc.constantFrom('Pump', '../../etc/passwd', 'C:\\x', '=cmd()', '名前', '.', '', 'a/b', '\u202ex', ' ', '-1'),
        fc.string({ maxLength: 300, unit: 'binary' }),
      ),
      points: fc.uniqueArray(fc.nat(30), { maxLength: 6 }),
    }),
    { maxLength: 8 },
  ),
  start: fc.nat(10),
  end: fc.integer({ min: 15, max: 40 }),
  subject: fc.constantFrom(
    ...[boss, mate, stranger].map((id) => ({ kind: 'experienceUser' as const, id })),
    ...[root, left, right].map((id) => ({ kind: 'experienceGroup' as const, id })),
  ),
})

test('holds exactly the devices and points of the rule, whatever they are named', async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ devices, start, end, subject }) => {
      const made = devices.map(({ groups, name }, n) => device(n, groups, { name }))
      const points = devices.flatMap((one, n) => reports(idOf('d', n), one.points))
      const { app, store, exports } = await openWorld(made, points)
      const asked = subject.kind === 'experienceUser' ? subject.id : boss
      const files = await contentOf(app, await exports.run(await exports.ask(asked, { subject, start, end })))
      const facts = await readFacts(app)
      const isSeen = subject.kind === 'experienceUser' ? sees : groupSees
      const expected = devices.map((_, n) => idOf('d', n)).filter((id) => isSeen(facts, subject.id, id))
      const rows = rowsOf(fileOf(files, 'devices.csv').text)
      expect(rows.map(({ id }) => id)).toEqual(expected)
      const manifest = manifestOf(files)
      for (const { id, file, points: count } of rows) {
        const times = devices[Number.parseInt(id!.slice(1), 16)]!.points.filter((one) => one >= start && one < end)
        expect(Number(count)).toBe(times.length)
        if (times.length === 0) expect(file).toBe('')
        else {
          expect(rowsOf(fileOf(files, file!).text).map(({ time, celsius }) => [Number(time), Number(celsius)])).toEqual(
            times.sort((a, b) => a - b).map((time) => [time, time / 2]),
          )
          expect(file).toMatch(/^data\/[^/\\:*?"<>|\p{C}]+-[0-9a-f]{24}\.csv$/u)
          expect(Buffer.byteLength(file!)).toBeLessThan(255)
        }
      }
      // Nothing beside them, and each file as the manifest says.
      expect(manifest.files.map(({ path }: Unzipped) => path).sort()).toEqual(
        files
          .map(({ path }) => path)
          .filter((path) => path !== 'manifest.json')
          .sort(),
      )
      for (const { path, sizeBytes, sha256 } of manifest.files) {
        expect(fileOf(files, path)).toMatchObject({ sizeBytes, sha256 })
      }
      expect(manifest.counts.devices).toBe(expected.length)
      expect(manifest.files).toHaveLength(expected.filter((id) => rows.find((row) => row.id === id)!.file).length + 1)
      await store.close()
    }),
    { numRuns: runsOf(40) },
  )
})

test('writes names that are formulas, lines or equal so that nothing is computed or lost', async () => {
  const names = ['=HYPERLINK("http://x")', 'a,"b"\nc', 'same', 'same']
  const made = names.map((name, n) =>
    device(n, [left], {
      name,
      tags: [
        { key: 'group', value: left },
        { key: '-k', value: '@v' },
      ],
    }),
  )
  const { app, exports } = await openWorld(
    made,
    names.flatMap((_, n) => reports(idOf('d', n), [1])),
  )
  const files = await contentOf(app, await exports.run(await exports.ask(mate)))
  const rows = rowsOf(fileOf(files, 'devices.csv').text)
  expect(rows.map(({ name }) => name)).toEqual([`'${names[0]}`, names[1], 'same', 'same'])
  expect(rows[0]!["'-k"]).toBe("'@v")
  expect(new Set(rows.map(({ file }) => file)).size).toBe(4)
})

test('keeps to the attributes that are asked for, and has those that a device lost', async () => {
  const point = { deviceId: idOf('d', 1), time: 1, data: { a: 1, b: 2, c: 3 } }
  const { app, exports } = await openWorld(
    [device(1, [left]), device(2, [left])],
    [point, { deviceId: idOf('d', 2), time: 1, data: { b: 1 } }],
  )
  const files = await contentOf(app, await exports.run(await exports.ask(mate, { attributes: ['c', 'a'] })))
  expect(files.map(({ path }) => path)).toEqual([`data/Device 1-${idOf('d', 1)}.csv`, 'devices.csv', 'manifest.json'])
  expect(files[0]!.text.split('\n')[0]).toBe('time,date,a,c')
})

test('is an archive without devices for who sees none', async () => {
  const { app, exports } = await openWorld([device(1, [left])], reports(idOf('d', 1), [1]))
  const files = await contentOf(app, await exports.run(await exports.ask(stranger)))
  expect(files.map(({ path }) => path)).toEqual(['devices.csv', 'manifest.json'])
  expect(rowsOf(files[0]!.text)).toEqual([])
  expect(manifestOf(files).counts).toEqual({ devices: 0, files: 1, points: 0 })
})

test('leaves out a device that is taken from the user while others are written', async () => {
  const { app, exports } = await openWorld(
    [device(1, [left]), device(2, [left])],
    [...reports(idOf('d', 1), [1]), ...reports(idOf('d', 2), [1])],
  )
  const started = await exports.start(await exports.ask(mate))
  const tell = started.context.progress
  started.context.progress = async (progress) => {
    if (progress.status === 'Device 1 of 2') {
      await tenancyWrite(app, [{ update: 'devices', id: idOf('d', 2), change: { tags: [] } }])
    }
    await tell(progress)
  }
  const files = await contentOf(app, (await started.run())!.output as ExportOutput)
  expect(rowsOf(fileOf(files, 'devices.csv').text).map(({ id }) => id)).toEqual([idOf('d', 1)])
  expect(files.map(({ path }) => path)).not.toContain(`data/Device 2-${idOf('d', 2)}.csv`)
})

test.each([
  ['another user', { kind: 'experienceUser' as const, id: boss }],
  ['a group beside', { kind: 'experienceGroup' as const, id: right }],
  ['a group above', { kind: 'experienceGroup' as const, id: root }],
  ['no group', { kind: 'experienceGroup' as const, id: 'nothing' }],
])('refuses the devices of %s', async (_, subject) => {
  const { exports } = await openWorld()
  await expect(exports.run(await exports.ask(mate, { subject }))).rejects.toMatchObject({ code: 'export.forbidden' })
})

test('keeps no archive for a user who was removed while it was written', async () => {
  const { app, exports } = await openWorld([device(1, [left])])
  const started = await exports.start(await exports.ask(mate))
  started.context.progress = async () => void (await app.collection('users').remove(mate))
  await expect(started.run()).rejects.toMatchObject({ code: 'export.forbidden' })
  const [cleanup] = await exports.jobsOfKind('export-cleanup')
  const { blobKey } = cleanup!.input as { blobKey: string }
  expect(await app.blobs.read(blobKey)).toBeUndefined()
  expect(await exports.jobsOfKind('mail')).toEqual([])
})

/** Starts an export that calls `during` in the middle of a long history; gives what it ended with and its blob. */
async function interrupted(during: (started: Awaited<ReturnType<ReturnType<typeof openExports>['start']>>) => void) {
  const times = Array.from({ length: 20_000 }, (_, n) => n)
  const { app, exports } = await openWorld([device(1, [left])], reports(idOf('d', 1), times))
  const job = await exports.ask(mate)
  const started = await exports.start(job)
  const tell = started.context.progress
  let after = 0
  started.context.progress = async (progress) => {
    await tell(progress)
    if (progress.status?.includes('report')) {
      if (after === 0) during(started)
      after += 1
    }
  }
  const error = await started.run().catch((cause: unknown) => cause)
  const [cleanup] = await exports.jobsOfKind('export-cleanup')
  const { blobKey } = cleanup!.input as { blobKey: string }
  return { app, exports, job, error, after, blobKey }
}

test('stops at once when it is canceled, and leaves nothing', async () => {
  const { app, error, after, blobKey, exports } = await interrupted(({ controller }) =>
    controller.abort(new Error('canceled')),
  )
  expect(error).toMatchObject({ message: 'canceled' })
  expect(after).toBeLessThan(10)
  expect(await app.blobs.read(blobKey)).toBeUndefined()
  expect(await app.blobs.read(`${blobKey}.lines`)).toBeUndefined()
  expect(await exports.jobsOfKind('mail')).toEqual([])
})

test('a worker that lost its job changes nothing that another one has written', async () => {
  const { app, exports, job, error, blobKey } = await interrupted((started) => {
    started.context.progress = async () => {
      throw new JobLost()
    }
  })
  expect(error).toBeInstanceOf(JobLost)
  expect(await app.blobs.read(blobKey)).toBeUndefined()
  const output = await exports.run((await exports.jobs.get(job.id))!)
  expect(output.blobKey).not.toBe(blobKey)
  expect(manifestOf(await contentOf(app, output)).counts.points).toBe(20_000)
  expect(await exports.jobsOfKind('mail')).toHaveLength(1)
})

test('fails with what the store says when the archive cannot be kept', async () => {
  const { app, exports } = await openWorld([device(1, [left])], reports(idOf('d', 1), [1]))
  const started = await exports.start(await exports.ask(mate))
  const blobs = { ...app.blobs, put: async () => Promise.reject(new Error('no room')) }
  started.context.app = { ...app, blobs, collection: app.collection.bind(app) }
  await expect(started.run()).rejects.toThrow('no room')
})

test('the clean-up removes what is of no use, when it is of no use', async () => {
  let clock = now
  const { app } = await openWorld([device(1, [left])], reports(idOf('d', 1), [1]))
  const exports = openExports(app, () => clock)
  const started = await exports.start(await exports.ask(mate))
  const tell = started.context.progress
  started.context.progress = async (progress) => {
    // It takes an hour.
    clock = now + 3_600_000
    await tell(progress)
  }
  const output = (await started.run())!.output as ExportOutput
  const [cleanup] = await exports.jobsOfKind('export-cleanup')
  expect(cleanup!.dueAt).toBe(now + 24 * 3_600_000)
  clock = cleanup!.dueAt!
  await exports.run(cleanup!)
  expect(await app.blobs.read(output.blobKey)).toBeDefined()
  const later = (await exports.jobsOfKind('export-cleanup')).find(({ status }) => status === 'queued')
  clock = output.expiresAt
  await exports.run(later!)
  expect(await app.blobs.read(output.blobKey)).toBeUndefined()
})

test('an archive can be downloaded however many other jobs have ended since', async () => {
  const { app, exports } = await openWorld([device(1, [left])])
  const job = await exports.ask(mate)
  await exports.run(job)
  for (let n = 0; n < 5; n += 1) {
    const { id } = await exports.jobs.add({ kind: 'other', input: n })
    await app.collection('jobs').update(id, { status: 'done', endedAt: now + n, dueAt: undefined })
  }
  await openRetention({ now: () => now + 1_000, limits: { ended: 2 } }).sweep(app)
  expect(await exports.jobsOfKind('other')).toHaveLength(2)
  expect(await exports.jobs.get(job.id)).toMatchObject({ status: 'done' })
})
