import { beforeEach, describe, expect, test } from 'vitest'
import { openFiles } from '../../../server/resources/files.ts'
import { anyone, type Happening } from '../../../server/resources/happenings.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
beforeEach(async () => {
  run = await openRunning()
  const { application } = run.app.scope
  await run.app.collection('application').insert({ id: application, name: 'App', secret: 's'.repeat(32), globals: [] })
})

type Config = Record<string, unknown>
const create = (config: Config = {}, payload: Config = {}) =>
  run.result('FileCreateNode', { fileNameTemplate: 'a.txt', fileContentsTemplate: 'text', ...config }, payload)
const get = (config: Config) => run.result('FileGetNode', { destination: 'out', ...config })
const api = (resource: string, action: string, params: Config = {}) =>
  run.result('LosantApiNode', {
    ...{ resource, action, responsePath: 'out' },
    params: Object.entries(params).map(([name, value]) => ({ name, type: 'string', value })),
  })
const blobs = async () => (await run.app.collection('files').find()).map(({ blob }) => blob)

describe('creating a file', () => {
  test('writes it, with what the format says of it', async () => {
    const file = await create({ parentDirectoryTemplate: '/reports/{{year}}' }, { year: 2026 })
    expect(file).toMatchObject({
      ...{ id: expect.stringMatching(/^[0-9a-f]{24}$/), type: 'file', name: 'a.txt', parentDirectory: '/reports/2026' },
      ...{ contentType: 'text/plain; charset=utf-8', fileSize: 4, status: 'completed', applicationId: 'a'.repeat(24) },
      ...{ authorType: 'flow', authorId: 'f1', url: `/_files/${'a'.repeat(24)}/reports/2026/a.txt` },
    })
    expect(await get({ filePathTemplate: '/reports/2026/a.txt' })).toMatchObject({ value: 'text', metadata: file })
  })

  test.each([
    ['base64', 'AAEC', 'hex', '000102'],
    ['hex', '00ff', 'base64', 'AP8='],
    ['', 'ä', 'hex', 'c3a4'],
    ['latin1', 'ä', 'hex', 'e4'],
    ['utf8', 'ä', 'base64', 'w6Q='],
    ['ascii', 'a', 'hex', '61'],
    ['binary', 'ä', 'hex', 'e4'],
    ['utf16le', 'ä', 'hex', 'e400'],
    ['ucs2', 'ä', 'hex', 'e400'],
    ['BASE64', 'AAEC', 'binary', '\0\u0001\u0002'],
    ['{{nothing}}', 'ä', '', 'ä'],
  ])('decodes contents of the encoding "%s"', async (encodingTemplate, fileContentsTemplate, encoding, value) => {
    await create({ encodingTemplate, fileContentsTemplate })
    expect(await get({ filePathTemplate: 'a.txt', encodingTemplate: encoding })).toMatchObject({ value })
  })

  test('replaces one that is there only when it may, and leaves no content behind', async () => {
    const first = (await create()) as { id: string }
    const [before] = await blobs()
    expect(await create({ fileContentsTemplate: 'other' })).toEqual({
      error: { type: 'FILE_CREATE_ERROR', message: expect.stringContaining('/a.txt') },
    })
    expect(await blobs()).toEqual([before])
    expect(await create({ fileContentsTemplate: 'other', shouldOverwrite: true })).toMatchObject({ id: first.id })
    expect(await get({ filePathTemplate: '/a.txt' })).toMatchObject({ value: 'other' })
    expect(await run.app.blobs.read(before!)).toBeUndefined()
  })

  test('keeps private ones apart from public ones, behind a signed link', async () => {
    const file = (await create({ private: true, urlTTLTemplate: '60' })) as { url: string }
    const expires = Math.floor(run.clock.now / 1000) + 60
    expect(file.url).toMatch(new RegExp(`^/_files/a{24}/a\\.txt\\?expires=${expires}&signature=[\\w-]{43}$`))
    expect(await get({ filePathTemplate: '/a.txt' })).toMatchObject({ error: { type: 'NotFound' } })
    expect(await get({ filePathTemplate: '/a.txt', private: true })).toMatchObject({ value: 'text' })
    const link = await get({ filePathTemplate: '/a.txt', private: true, isDownloadURL: true, urlTTLTemplate: '60' })
    expect(link).toMatchObject({ value: file.url, metadata: { _type: 'privateFile' } })
    expect(await create()).toHaveProperty('id')
  })

  test.each([
    ['../a', '/'],
    ['..', '/'],
    ['a/b', '/'],
    ['', '/'],
    ['a\0', '/'],
    ['a\\b', '/'],
    ['a\nb', '/'],
    ['a', '/../etc'],
    ['a', '/./b'],
    ['a', `/${'d/'.repeat(40)}`],
    ['x'.repeat(2_000), '/'],
  ])('refuses the name %j in %j', async (name, parentDirectory) => {
    const config = { fileNameTemplate: '{{{name}}}', parentDirectoryTemplate: '{{{parentDirectory}}}' }
    const out = run.visit(
      'FileCreateNode',
      { ...config, fileContentsTemplate: 'x', resultPath: 'out' },
      { name, parentDirectory },
    )
    const { payload, code } = await out
    expect(code ?? (payload.out as { error: { type: string } }).error.type).toBe(
      name === '' ? 'config.empty' : 'FILE_CREATE_ERROR',
    )
    expect(await run.app.collection('files').count()).toBe(0)
  })

  test('refuses what no folder could hold: a file below a file, or in the place of a directory', async () => {
    await create({ parentDirectoryTemplate: '/d' })
    expect(await create({ fileNameTemplate: 'd' })).toHaveProperty('error')
    expect(await create({ fileNameTemplate: 'b', parentDirectoryTemplate: '/d/a.txt' })).toHaveProperty('error')
    expect(await create({ fileNameTemplate: 'b', parentDirectoryTemplate: 'd//' })).toMatchObject({
      parentDirectory: '/d',
    })
  })

  test('refuses more than 5 MB, a wrong encoding and a wrong content type', async () => {
    const files = openFiles({ app: run.app, now: () => 0, actor: anyone })
    const big = {
      name: 'a',
      parentDirectory: '/',
      private: false,
      content: Buffer.alloc((5 << 20) + 1),
      overwrite: false,
    }
    await expect(files.write(big)).rejects.toMatchObject({ type: 'Validation' })
    expect(await create({ encodingTemplate: 'utf7' })).toHaveProperty('error')
    expect(await create({ contentTypeTemplate: 'text/html\r\nx: y' })).toHaveProperty('error')
    expect(await create({ contentTypeTemplate: 'text/html' })).toMatchObject({ contentType: 'text/html' })
  })

  test('of two at the same moment one wins', async () => {
    const both = await Promise.all([create({ fileContentsTemplate: '1' }), create({ fileContentsTemplate: '2' })])
    expect(both.filter((one) => 'error' in (one as object))).toHaveLength(1)
    const files = await run.app.collection('files').find()
    expect(files).toHaveLength(1)
    expect(await run.app.blobs.read(files[0]!.blob)).toBeDefined()
  })
})

describe('getting a file', () => {
  test('that is not there, or cannot be, gives an error', async () => {
    expect(await get({ filePathTemplate: '/none' })).toEqual({
      error: { type: 'NotFound', message: 'File was not found' },
    })
    expect(await get({ filePathTemplate: '/../none' })).toMatchObject({ error: { type: 'Validation' } })
    await create()
    expect(await get({ filePathTemplate: '/a.txt', encodingTemplate: 'utf7' })).toMatchObject({
      error: { type: 'Validation' },
    })
  })

  test('of another application gives nothing', async () => {
    const theirs = run.store.app({ tenant: 'tenant', application: 'b'.repeat(24) })
    await theirs.collection('application').insert({ id: 'b'.repeat(24), name: 'B', secret: 'x', globals: [] })
    const files = openFiles({ app: theirs, now: () => 0, actor: anyone })
    const content = Buffer.from('x')
    const file = { name: 'b', parentDirectory: '/', private: true, content, overwrite: false }
    const { id: privateFileId } = await files.write(file)
    expect(await get({ filePathTemplate: '/b', private: true })).toMatchObject({ error: { type: 'NotFound' } })
    for (const action of ['get', 'delete', 'move']) {
      expect(await api('privateFile', action, { privateFileId })).toMatchObject({ error: { statusCode: 404 } })
    }
    expect(await files.get({ id: privateFileId, private: true })).toMatchObject({ name: 'b' })
  })
})

describe('the calls of files', () => {
  test('list what lies in a directory, sorted and paged', async () => {
    await create()
    await create({ fileNameTemplate: 'b.txt', parentDirectoryTemplate: '/d' })
    await create({ fileNameTemplate: 'c.txt', parentDirectoryTemplate: '/d/e' })
    await create({ fileNameTemplate: 'p.txt', private: true })
    const names = async (params: Config) =>
      ((await api('files', 'get', params)) as { result: { items: { name: string }[] } }).result.items.map((f) => f.name)
    expect(await names({ sortField: 'name' })).toEqual(['a.txt', 'b.txt', 'c.txt'])
    expect(await names({ directory: '/', sortField: 'name' })).toEqual(['a.txt', 'd'])
    expect(await names({ directory: '/d', sortField: 'name' })).toEqual(['b.txt', 'e'])
    expect(await names({ directory: '/d/', type: 'directory' })).toEqual(['e'])
    expect(await names({ filter: 'B*' })).toEqual(['b.txt'])
    expect(await names({ status: 'pending' })).toEqual([])
    expect(await api('files', 'get', { perPage: '1', page: '1', sortField: 'name' })).toMatchObject({
      result: { items: [{ name: 'b.txt' }], count: 1, totalCount: 3, page: 1, perPage: 1 },
    })
    expect(await api('files', 'get', { sortField: 'secret' })).toMatchObject({ error: { statusCode: 400 } })
    expect(await api('files', 'get', { directory: '/../' })).toMatchObject({ error: { statusCode: 400 } })
  })

  test('get, move and remove one, and no private one as a public', async () => {
    const { id: fileId } = (await create()) as { id: string }
    expect(await api('file', 'get', { fileId })).toMatchObject({ result: { name: 'a.txt' } })
    expect(await api('privateFile', 'get', { privateFileId: fileId })).toMatchObject({ error: { statusCode: 404 } })
    expect(await api('file', 'move', { fileId, name: 'm.txt', parentDirectory: '/n' })).toMatchObject({
      result: { id: fileId, name: 'm.txt', parentDirectory: '/n' },
    })
    expect(await get({ filePathTemplate: '/n/m.txt' })).toMatchObject({ value: 'text' })
    const [blob] = await blobs()
    expect(await api('file', 'delete', { fileId })).toEqual({ result: { success: true } })
    expect(await run.app.blobs.read(blob!)).toBeUndefined()
    expect(await api('file', 'delete', { fileId })).toMatchObject({ error: { statusCode: 404 } })
  })
})

test('what is done to files is told', async () => {
  const told: string[] = []
  const happened = async (what: Happening) => {
    if (what.kind === 'file') told.push(`${what.action} ${what.file.name}`)
  }
  const files = openFiles({ app: run.app, now: () => run.clock.now, actor: anyone, happened })
  const file = { name: 'a', parentDirectory: '/', private: false, content: Buffer.from('x'), overwrite: true }
  const { id } = await files.write(file)
  await files.write(file)
  await files.write({ ...file, overwrite: false }).catch(() => undefined)
  await files.move(id, { private: false, name: 'b' })
  await files.remove({ id, private: false })
  await files.remove({ id, private: false })
  expect(told).toEqual(['create a', 'update a', 'delete a', 'create b', 'delete b'])
})
