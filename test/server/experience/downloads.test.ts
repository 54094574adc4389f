import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { EXPORTS_PREFIX, type ExportOutput, type ExportSubject } from '../../../server/jobs/export-document.ts'
import { signedPath } from '../../../server/jobs/export-link.ts'
import type { JobDocument } from '../../../server/store/documents/jobs.ts'
import { tenancyWrite } from '../../../server/tenancy/write.ts'
import { aliceId, applicationId, openSite, type Site, tokenOf } from './site.ts'

const time = Date.UTC(2026, 0, 2)
const archive = randomBytes(600_000)
const sha256 = createHash('sha256').update(archive).digest('hex')
const [ownGroup, groupBelow, foreignGroup] = ['a1', 'a2', 'a3'].map((start) => start.padEnd(24, '0')) as [
  string,
  string,
  string,
]

/** A site where Alice exists and is in a group above another; `clock` is its time. */
async function openDownloads() {
  const clock = { now: time }
  const site = await openSite({ now: () => clock.now })
  const group = (id: string, parentId?: string) => ({
    insert: 'groups' as const,
    document: {
      ...{ id, name: id, parentId, ancestorIds: [], groupTags: {}, deviceIds: [], deviceTags: [] },
    },
  })
  const email = 'alice@acme.example'
  const alice = { id: aliceId, email, emailKey: email, userTags: {}, experienceGroupIds: [ownGroup] }
  await tenancyWrite(site.app, [
    ...[group(ownGroup), group(groupBelow, ownGroup), group(foreignGroup)],
    { insert: 'users', document: alice },
  ])
  await site.app.blobs.put('exports/1', archive)
  return { ...site, clock }
}

const own: ExportSubject = { kind: 'experienceUser', id: aliceId }

/** A finished export of Alice; gives its path. */
async function addExport({ app }: Site, given: Partial<JobDocument> = {}, subject = own): Promise<string> {
  const output: ExportOutput = {
    ...{ blobKey: 'exports/1', fileName: 'alice-export-2026-01-02.zip', sizeBytes: archive.length, sha256 },
    ...{ devices: 1, points: 1, downloadPath: '', expiresAt: time + 1_000 },
  }
  const { id } = await app.collection('jobs').insert({
    ...{ kind: 'data-export', key: String(Math.random()), status: 'done', input: { subject }, output },
    ...{ progress: { completed: 1 }, attempts: 1, requestedBy: { type: 'experienceUser', id: aliceId } },
    ...given,
  })
  return `${EXPORTS_PREFIX}${id}`
}

const authorized = (more: Record<string, string> = {}) => ({
  headers: { authorization: `Bearer ${tokenOf('acme')}`, ...more },
})

test('gives the archive to the user who asked for it, and starts no flow', async () => {
  const site = await openDownloads()
  const path = await addExport(site)
  const raw = await site.raw(
    `GET ${path} HTTP/1.1\r\nhost: shop.localhost\r\ncookie: authorization=${tokenOf('acme')}\r\nconnection: close\r\n\r\n`,
  )
  const bytes = Buffer.from(raw.slice(raw.indexOf('\r\n\r\n') + 4), 'latin1')
  expect(bytes.equals(archive)).toBe(true)
  const { status, headers } = await site.ask(path, { ...authorized(), method: 'HEAD' })
  expect(status).toBe(200)
  expect(headers).toMatchObject({
    ...{ 'content-type': 'application/zip', 'content-length': '600000', 'cache-control': 'no-store' },
    ...{ etag: `"${sha256}"`, 'accept-ranges': 'bytes', 'x-content-type-options': 'nosniff' },
    'content-disposition': 'attachment; filename="alice-export-2026-01-02.zip"',
  })
  expect(site.events).toEqual([])
})

test('gives part of it, and says when there is no such part', async () => {
  const site = await openDownloads()
  const path = await addExport(site)
  const part = await site.ask(path, { ...authorized({ range: 'bytes=599990-' }), method: 'HEAD' })
  expect(part).toMatchObject({ status: 206, headers: { 'content-range': 'bytes 599990-599999/600000' } })
  const resumed = await site.ask(path, authorized({ range: 'bytes=0-9', 'if-range': `"${sha256}"` }))
  expect(resumed).toMatchObject({ status: 206, headers: { 'content-length': '10' } })
  expect((await site.ask(path, authorized({ range: 'bytes=0-9', 'if-range': '"other"' }))).status).toBe(200)
  expect((await site.ask(path, authorized({ range: 'bytes=700000-' }))).status).toBe(416)
  expect((await site.ask(path, authorized({ 'if-none-match': `"${sha256}"` }))).status).toBe(304)
})

const foreign = { requestedBy: { type: 'experienceUser', id: '2'.repeat(24) } }

test.each([
  ['of another user', foreign],
  ['of a flow with the id of the user', { requestedBy: { type: 'flow', id: aliceId } }],
  ['that is being written', { status: 'running' as const, output: undefined }],
  ['that failed', { status: 'failed' as const }],
  ['of another kind', { kind: 'device-import' }],
])('tells of an export %s what it tells of one that does not exist', async (_, given) => {
  const site = await openDownloads()
  const path = await addExport(site, given)
  const unknown = await site.ask(`${EXPORTS_PREFIX}${'f'.repeat(24)}`, authorized())
  expect(unknown).toMatchObject({ status: 404, body: '{"type":"NotFound","message":"There is no such export"}' })
  expect(await site.ask(path, authorized())).toMatchObject({ status: 404, body: unknown.body })
})

test.each(['', 'x', '../1', `${'f'.repeat(24)}/1`, '%00', 'F'.repeat(24)])('knows no export %j', async (id) => {
  const site = await openDownloads()
  expect((await site.ask(`${EXPORTS_PREFIX}${id}`, authorized())).status).toBe(404)
})

test('gives the not-found page of the version where there is one', async () => {
  const site = await openDownloads()
  const { id } = await site.view({ name: 'Lost', body: 'lost here' })
  await site.settings({ notFoundReply: { type: 'page', value: id } })
  const path = await addExport(site, foreign)
  expect(await site.ask(path, authorized())).toMatchObject({ status: 404, body: 'lost here' })
})

test('sends who is not logged in to the login, whether or not there is such an export', async () => {
  const site = await openDownloads()
  const paths = [await addExport(site), `${EXPORTS_PREFIX}${'f'.repeat(24)}`]
  for (const path of paths) {
    const late = { cookie: `authorization=${tokenOf('acme', time - 1)}` }
    const tries: Record<string, string>[] = [{}, { authorization: 'Bearer forged' }, late]
    for (const headers of tries) {
      expect(await site.ask(path, { headers })).toMatchObject({ status: 401 })
    }
  }
  await site.settings({ unauthorizedReply: { type: 'redirect', value: '/login?to={{request.path}}' } })
  for (const path of paths) {
    expect(await site.ask(path)).toMatchObject({ status: 302, headers: { location: `/login?to=${path}` } })
  }
})

test('a token of another application opens nothing', async () => {
  const site = await openDownloads()
  const path = await addExport(site)
  const asked = { headers: { authorization: `Bearer ${tokenOf('evil')}` } }
  expect((await site.ask(path, asked)).status).toBe(401)
})

test('refuses the export of a group that the user is no longer in or above', async () => {
  const site = await openDownloads()
  const subjectOf = (id: string): ExportSubject => ({ kind: 'experienceGroup', id })
  const status = async (id: string) =>
    (await site.ask(await addExport(site, {}, subjectOf(id)), { ...authorized(), method: 'HEAD' })).status
  expect([await status(ownGroup), await status(groupBelow), await status(foreignGroup)]).toEqual([200, 200, 404])
  await tenancyWrite(site.app, [{ update: 'users', id: aliceId, change: { experienceGroupIds: [] } }])
  expect([await status(ownGroup), await status(groupBelow)]).toEqual([404, 404])
})

test('refuses a user who was removed, though the token is still signed', async () => {
  const site = await openDownloads()
  const path = await addExport(site)
  await site.app.collection('users').remove(aliceId)
  expect((await site.ask(path, authorized())).status).toBe(404)
})

test('says when it has expired, to its user only', async () => {
  const site = await openDownloads()
  const [path, others] = [await addExport(site), await addExport(site, foreign)]
  site.clock.now = time + 999
  expect((await site.ask(path, { ...authorized(), method: 'HEAD' })).status).toBe(200)
  site.clock.now = time + 1_000
  const gone = await site.ask(path, authorized())
  expect(gone).toMatchObject({ status: 410, body: expect.stringContaining('This export has expired') })
  expect((await site.ask(others, authorized())).status).toBe(404)
  expect((await site.ask(path)).status).toBe(401)
})

test.each(['POST', 'DELETE', 'PUT'])('knows no %s', async (method) => {
  const site = await openDownloads()
  expect((await site.ask(await addExport(site), { ...authorized(), method })).status).toBe(404)
})

test('reads no more than a client takes that goes away', async () => {
  const site = await openDownloads()
  const read: number[] = []
  const closed = Promise.withResolvers<void>()
  const store = site.store
  const app = store.app({ tenant: 'acme', application: applicationId })
  const endless = async function* () {
    try {
      for (;;) {
        read.push(1)
        yield Buffer.alloc(65_536)
      }
    } finally {
      closed.resolve()
    }
  }
  const slow = await openSite({
    store: {
      ...store,
      app: () => ({
        ...app,
        collection: app.collection.bind(app),
        blobs: { ...app.blobs, read: async () => endless() },
      }),
    },
    now: () => time,
  })
  const path = await addExport(site)
  const server = createServer((request, response) => void slow.experience.handle(request, response)).listen(0)
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: shop.localhost\r\ncookie: authorization=${tokenOf('acme')}\r\n\r\n`)
  socket.once('data', () => socket.destroy())
  await closed.promise
  expect(read.length).toBeLessThan(600)
  server.close()
})

test('sends who is not logged in where the endpoint with this route says', async () => {
  const site = await openDownloads()
  const path = await addExport(site)
  await site.settings({ unauthorizedReply: { type: 'redirect', value: '/elsewhere' } })
  await site.endpoint({
    ...{ method: 'get', route: `${EXPORTS_PREFIX}{id}`, access: 'authenticated' },
    unauthorizedReply: { type: 'redirect', value: '/login?to={{request.path}}' },
  })
  expect(await site.ask(path)).toMatchObject({ status: 302, headers: { location: `/login?to=${path}` } })
  expect((await site.ask(path, authorized())).status).toBe(200)
  expect((await site.ask(`${EXPORTS_PREFIX}${'f'.repeat(24)}`, authorized())).status).toBe(404)
})

test('gives what a flow asked for to whoever has its signed link, until that expires', async () => {
  const site = await openDownloads()
  const expiresAt = time + 60_000
  const output = {
    ...{ blobKey: 'exports/1', fileName: 'events-export-2026-01-02.csv', contentType: 'text/csv' },
    ...{ sizeBytes: archive.length, sha256, expiresAt, downloadUrl: '' },
  }
  const document = { input: { of: 'events' }, output, requestedBy: { type: 'flow', id: 'f'.repeat(24) } }
  const plain = await addExport(site, document)
  const path = await signedPath(site.app, plain.slice(EXPORTS_PREFIX.length), expiresAt)
  expect(await site.ask(path)).toMatchObject({
    status: 200,
    headers: {
      'content-type': 'text/csv',
      'content-disposition': 'attachment; filename="events-export-2026-01-02.csv"',
    },
  })
  // The link of an export opens no other one, no archive of a user, and nothing by another method.
  const [, query] = path.split('?')
  const others = [await addExport(site, document), await addExport(site), plain]
  const archivePath = await signedPath(site.app, others[1]!.slice(EXPORTS_PREFIX.length), expiresAt)
  const wrong = [`${others[0]}?${query}`, archivePath, plain, path.replace('expires=1', 'expires=2'), `${path}x`]
  for (const one of wrong) expect((await site.ask(one)).status, one).toBe(401)
  expect((await site.ask(path, { method: 'POST' })).status).toBe(401)
  site.clock.now = expiresAt
  expect((await site.ask(path)).status).toBe(401)
})
