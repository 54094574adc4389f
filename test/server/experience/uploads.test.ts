import { createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { ExperienceDeps } from '../../../server/experience/experience.ts'
import { type FileUploads, openFileUploads } from '../../../server/resources/file-uploads.ts'
import { mostFileBytes, openFiles } from '../../../server/resources/files.ts'
import { type Actor, anyone, type Happening } from '../../../server/resources/happenings.ts'
import { openSite, type Site } from './site.ts'

const clock = { now: Date.UTC(2026, 0, 2) }
let site: Site
let uploads: FileUploads

beforeEach(async () => {
  clock.now = Date.UTC(2026, 0, 2)
  site = await openSite({ now: () => clock.now })
  const files = openFiles({ app: site.app, now: () => clock.now, actor: anyone })
  uploads = openFileUploads({ app: site.app, now: () => clock.now, files })
})

const file = { private: false, name: 'a b.txt', parentDirectory: '/in', contentType: 'text/plain' }

/** A body as browsers send it: the fields, then the file. */
function bodyOf(content: string, { part = 'file', disposition = '; filename="x"' } = {}) {
  const head = `--b\r\ncontent-disposition: form-data; name="token"\r\n\r\nt\r\n--b\r\ncontent-disposition: form-data; name="${part}"`
  const type = `${disposition}\r\ncontent-type: application/octet-stream\r\n\r\n`
  return {
    body: `${head}${type}${content}\r\n--b--\r\n`,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  }
}

const send = (url: string, content: string, how = {}) => site.ask(url, { method: 'POST', ...bodyOf(content, how) })
const stored = () => site.app.collection('files').find({ filter: { field: 'path', op: 'startsWith', value: '/in/' } })

test('the file is there once its content has come, by the id that was said before', async () => {
  const pending = await uploads.begin(file)
  expect(pending).toMatchObject({ name: 'a b.txt', parentDirectory: '/in', status: 'pending' })
  expect(await stored()).toEqual([])
  const answer = await send(pending.upload.url, 'hello')
  expect(answer).toMatchObject({
    status: 201,
    headers: { etag: `"${createHash('md5').update('hello').digest('hex')}"`, 'access-control-allow-origin': '*' },
  })
  expect(await stored()).toMatchObject([{ id: pending.id, path: '/in/a b.txt', contentType: 'text/plain' }])
  const path = `/_files/${site.app.scope.application}/in/a%20b.txt`
  expect(await site.ask(path)).toMatchObject({ status: 200, body: 'hello' })
})

test('a part without a name of its own is a file, too', async () => {
  const { upload } = await uploads.begin(file)
  expect((await send(upload.url, 'hello', { disposition: '' })).status).toBe(201)
})

test('flows are told of the file when its content has come, as written by who began the upload', async () => {
  const told: unknown[] = []
  const open = (actor: Actor) => {
    const happened = async (what: Happening, by: Actor) => void told.push([what, by])
    const files = openFiles({ app: site.app, now: () => clock.now, actor, happened })
    return openFileUploads({ app: site.app, now: () => clock.now, files })
  }
  const flow: Actor = { type: 'flow', id: 'f1', name: 'Asks', depth: 3 }
  const { id, upload } = await open(flow).begin(file)
  expect(told).toEqual([])
  await open(anyone).finish(upload.fields.token!, Buffer.from('one'))
  const next = await open({ ...flow, depth: 4 }).replace(id, { private: false })
  await open(anyone).finish(next.upload.fields.token!, Buffer.from('two'))
  expect(told).toMatchObject([
    [{ kind: 'file', action: 'create', file: { id, name: 'a b.txt', authorType: 'flow', authorId: 'f1' } }, flow],
    [
      { kind: 'file', action: 'update', file: { id } },
      { ...flow, depth: 4 },
    ],
  ])
})

test('flows of its application are told of an upload that comes in, and of none that is refused', async () => {
  const told: unknown[] = []
  const happened: ExperienceDeps['happened'] = async (app, what, by) => void told.push([app.scope, what, by])
  site = await openSite({ now: () => clock.now, happened })
  const actor: Actor = { type: 'flow', id: 'f1', depth: 3 }
  const files = openFiles({ app: site.app, now: () => clock.now, actor })
  const { upload, id } = await openFileUploads({ app: site.app, now: () => clock.now, files }).begin(file)
  await send(upload.url, 'hello', { part: 'other' })
  expect(told).toEqual([])
  await send(upload.url, 'hello')
  expect(told).toMatchObject([[site.app.scope, { kind: 'file', action: 'create', file: { id } }, actor]])
})

test('uploads take of the memory and the rate of their application, as other bodies do', async () => {
  const limits = { heldBytesPerApplication: 100_000, requestsPerSecond: 1, burst: 3 }
  site = await openSite({ now: () => clock.now, limits })
  const files = openFiles({ app: site.app, now: () => clock.now, actor: anyone })
  const { upload } = await openFileUploads({ app: site.app, now: () => clock.now, files }).begin(file)
  expect((await send(upload.url, 'x'.repeat(120_000))).json()).toMatchObject({
    message: expect.stringContaining('Too much is being worked on'),
  })
  expect((await send(upload.url, 'x'.repeat(50_000))).json()).toMatchObject({
    message: expect.stringContaining('Too much is being worked on'),
  })
  expect(await stored()).toEqual([])
  expect((await send(upload.url, 'x'.repeat(1_000))).status).toBe(201)
  expect((await send(upload.url, 'x')).status).toBe(429)
})

test('content is taken once, and no later than after 15 minutes', async () => {
  const { upload } = await uploads.begin(file)
  expect((await send(upload.url, 'one')).status).toBe(201)
  expect((await send(upload.url, 'two')).status).toBe(404)
  const late = await uploads.begin({ ...file, name: 'late' })
  clock.now += 15 * 60_000
  expect((await send(late.upload.url, 'late')).status).toBe(404)
  expect(await stored()).toHaveLength(1)
})

test('a file that is replaced stays as it was until then, and keeps its id and its place', async () => {
  const { upload, id } = await uploads.begin(file)
  await send(upload.url, 'one')
  const next = await uploads.replace(id, { private: false })
  expect(await stored()).toMatchObject([{ id, sizeBytes: 3 }])
  expect((await send(next.upload.url, 'three')).status).toBe(201)
  expect(await stored()).toMatchObject([{ id, path: '/in/a b.txt', sizeBytes: 5, contentType: 'text/plain' }])
  const gone = await uploads.replace(id, { private: false })
  await site.app.collection('files').remove(id)
  expect((await send(gone.upload.url, 'x')).status).toBe(404)
  expect(await stored()).toEqual([])
})

test.each([
  ['without a token', () => `/_files/${site.app.scope.application}/`, bodyOf('x'), 404],
  ['with a wrong one', () => `/_files/${site.app.scope.application}/?upload=x`, bodyOf('x'), 404],
  ['with several', () => `/_files/${site.app.scope.application}/?upload=x&upload=y`, bodyOf('x'), 404],
])('a POST %s is not taken', async (_, url, body, status) => {
  expect((await site.ask(url(), { method: 'POST', ...body })).status).toBe(status)
})

test('a body without the file, of another type or too large is refused, and can be sent again', async () => {
  const { upload } = await uploads.begin(file)
  expect((await send(upload.url, 'x', { part: 'other' })).status).toBe(400)
  expect(
    (await site.ask(upload.url, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } })).status,
  ).toBe(400)
  expect((await send(upload.url, 'x'.repeat(mostFileBytes + 70_000))).status).toBe(413)
  expect((await send(upload.url, 'x')).status).toBe(201)
})

test('a path that is taken is refused, and so are more than 1,000 that wait', async () => {
  const { upload } = await uploads.begin(file)
  const second = await uploads.begin(file)
  await send(upload.url, 'one')
  expect((await send(second.upload.url, 'two')).status).toBe(400)
  await expect(uploads.begin(file)).rejects.toMatchObject({ type: 'AlreadyExists' })
  await expect(uploads.begin({ ...file, name: '../x' })).rejects.toMatchObject({ type: 'Validation' })
  await expect(uploads.begin({ ...file, name: 'y', fileSize: mostFileBytes + 1 })).rejects.toMatchObject({
    type: 'Validation',
  })
  for (let n = 0; n < 1_000; n++) {
    await site.app.values.set('file-uploads', String(n), { until: clock.now + 1, path: '/x', id: 'x' })
  }
  await expect(uploads.begin({ ...file, name: 'z' })).rejects.toMatchObject({ type: 'RateLimit' })
  clock.now += 1
  await expect(uploads.begin({ ...file, name: 'z' })).resolves.toMatchObject({ status: 'pending' })
})
