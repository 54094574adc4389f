import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../../nodes/services/listing.ts'
import { importFolder } from '../../../server/bundle/import-folder.ts'
import { createVersion, deleteVersion, pointHosts } from '../../../server/experience/versions.ts'
import { clientOf } from '../../helpers/client.ts'
import { startServer, type TestServer } from '../../helpers/server.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import {
  application,
  type Contents,
  cloudFlow,
  endpoint,
  envelope,
  experienceFlow,
  ref,
  view,
} from '../bundle/small-app.ts'

const reply = (pageIdTemplate: string, more: object = {}) => ({
  ...{ id: 'reply', type: 'EndpointReplyNode', meta: {}, outputIds: [[]] },
  config: { replyType: 'page', pageIdTemplate, responseCodeTemplate: '200', headerInfo: [], cookieInfo: [], ...more },
})
const hears = (endpointName: string, config: object = {}) => ({
  ...{ key: ref('experienceEndpoint', endpointName), type: 'endpoint', config, meta: {}, outputIds: [['reply']] },
})

/** A page from a flow, one without a flow, one that only a global of the application names, one from a cloud flow. */
const contents = (word: string): Contents => ({
  'application.yaml': application({
    globals: [{ key: 'start', json: `"${ref('experienceView', 'home')}"` }],
  }),
  'experience/develop/version.yaml': envelope('ExperienceVersion', {
    ...{ id: ref('experienceVersion', 'develop'), version: 'develop', globals: [{ key: 'word', json: `"${word}"` }] },
    notFoundReply: { type: 'page', value: ref('experienceView', 'home'), statusCode: 404 },
  }),
  'experience/develop/endpoints.yaml': envelope(
    'ExperienceEndpoint',
    endpoint('get', '/'),
    endpoint('get', '/static', { staticReply: { type: 'page', value: ref('experienceView', 'home') } }),
    endpoint('get', '/start'),
    endpoint('get', '/cloud'),
    endpoint('get', '/secret', {
      access: 'authenticated',
      unauthorizedReply: { type: 'page', value: ref('experienceView', 'home') },
    }),
  ),
  'experience/develop/views.yaml': envelope(
    'ExperienceView',
    view('layout', 'main'),
    view('page', 'home', { layoutId: ref('experienceView', 'main') }),
    view('component', 'sign'),
  ),
  'experience/develop/main.hbs': `<main class="${word}">{{page}}</main>`,
  'experience/develop/home.hbs': '{{component "sign"}} {{globals.word}} {{experience.version}}',
  'experience/develop/sign.hbs': `sign ${word}`,
  'experience/develop/Home.yaml': envelope(
    'ExperienceFlowVersion',
    experienceFlow('home', { triggers: [hears('get-')], nodes: [reply(ref('experienceView', 'home'))] }),
    experienceFlow('start', { triggers: [hears('get-start')], nodes: [reply('{{globals.start}}')] }),
  ),
  'workflows/Cloud.yaml': envelope(
    'Flow',
    cloudFlow('cloud', {
      ...{ enabled: true, triggers: [hears('get-cloud', { experienceVersion: 'v1' })] },
      nodes: [reply(ref('experienceView', 'home'))],
    }),
  ),
})

let folder: string
let running: TestServer

async function put(files: Contents): Promise<void> {
  await rm(join(folder, 'small'), { recursive: true, force: true })
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, 'small', path)), { recursive: true })
    await writeFile(join(folder, 'small', path), content)
  }
}

const world = () => {
  const { store, applications } = running
  return { app: store.app(applications[0]!.scope), hosts: store.hosts }
}
const reimport = () =>
  importFolder({
    ...{ store: running.store, folder: join(folder, 'small') },
    io: { env: { DATA_DIR: folder }, out: () => undefined, err: () => undefined },
  })
const get = async (slug: string, path: string) => {
  const { status, text } = await clientOf(running.port, `${slug}.localhost`).get(path)
  return `${status} ${text}`
}
const page = (word: string, status = 200) => `${status} <main class="${word}">sign ${word} ${word}`

beforeEach(async () => {
  folder = await temporaryFolder()
  await put(contents('old'))
  running = await startServer({ folders: [join(folder, 'small')] })
})
afterEach(() => running.close())

describe('a version of an experience', () => {
  const paths: [string, number][] = [
    ['/', 200],
    ['/static', 200],
    ['/start', 200],
    ['/secret', 401],
    ['/nowhere', 404],
  ]

  test('goes on as it was while develop is changed and imported again', async () => {
    const made = await createVersion(world(), { version: 'v1', description: 'First', slugs: ['small-v1'] })
    expect(made).toMatchObject({ version: 'v1', endpoints: 5, views: 3, flows: 2 })
    await put(contents('new'))
    await reimport()
    for (const [path, status] of paths) {
      expect(await get('small', path)).toContain(page('new', status))
      expect(await get('small-v1', path)).toContain(page('old', status))
    }
  })

  test('outlives what is taken out of develop', async () => {
    await createVersion(world(), { version: 'v1', slugs: ['small-v1'] })
    const { 'experience/develop/Home.yaml': _, ...less } = contents('new')
    await put({
      ...less,
      'experience/develop/endpoints.yaml': envelope('ExperienceEndpoint', endpoint('get', '/other')),
    })
    await reimport()
    expect(await get('small', '/static')).toContain('404')
    for (const [path, status] of paths) expect(await get('small-v1', path)).toContain(page('old', status))
  })

  test('is heard by the application flow that names it, and by no other', async () => {
    await createVersion(world(), { version: 'v1', slugs: ['small-v1'] })
    await createVersion(world(), { version: 'v2', slugs: ['small-v2'] })
    expect(await get('small-v1', '/cloud')).toMatch(/^200 <main class="old">sign old .*v1/)
    expect(await get('small', '/cloud')).not.toContain('sign')
    expect(await get('small-v2', '/cloud')).not.toContain('sign')
  })

  test('takes over a host that showed another, in one go with its making', async () => {
    await createVersion(world(), { version: 'v1', slugs: ['small'] })
    await put(contents('new'))
    await reimport()
    expect(await get('small', '/')).toContain(page('old'))
    await pointHosts(world(), 'develop', ['small'])
    expect(await get('small', '/')).toContain(page('new'))
  })

  test('can be deleted: its hosts show nothing until another has the name, and nothing else is touched', async () => {
    await createVersion(world(), { version: 'v1', slugs: ['small-v1'] })
    await createVersion(world(), { version: 'v2', slugs: ['small-v2'] })
    expect(await deleteVersion(world(), 'v1')).toBe(true)
    expect(await deleteVersion(world(), 'v1')).toBe(false)
    expect(await get('small-v1', '/')).toMatch(/^404 .*No application is served/)
    expect(await get('small', '/')).toContain(page('old'))
    expect(await get('small-v2', '/')).toContain(page('old'))
    expect(await world().app.collection('views').count({ field: 'version', op: 'eq', value: 'v1' })).toBe(0)
    await createVersion(world(), { version: 'v1' })
    expect(await get('small-v1', '/')).toContain(page('old'))
  })

  test('takes flows with it of which nothing else is left', async () => {
    await createVersion(world(), { version: 'v1' })
    const { 'experience/develop/Home.yaml': _, ...less } = contents('new')
    await put(less)
    await reimport()
    const flows = () => world().app.collection('flows').count({ field: 'flowClass', op: 'eq', value: 'experience' })
    expect(await flows()).toBe(2)
    await deleteVersion(world(), 'v1')
    expect(await flows()).toBe(0)
  })
})

describe('refused, with nothing written:', () => {
  test.each([
    ['develop', [], 'Validation'],
    ['', [], 'Validation'],
    ['a b', [], 'Validation'],
    ['-v', [], 'Validation'],
    ['v1', ['No Slug'], 'Validation'],
    ['v1', ['x'], 'Validation'],
    ['v1', ['other'], 'AlreadyExists'],
    ['taken', [], 'AlreadyExists'],
  ])('version %j at %j', async (version, slugs, type) => {
    const other = { tenant: 'elsewhere', application: 'b'.repeat(24) }
    await running.store.hosts.put({ name: 'other', scope: other, version: 'develop' })
    await createVersion(world(), { version: 'taken' })
    const before = await world().app.revision()
    await expect(createVersion(world(), { version, slugs })).rejects.toMatchObject({ name: 'Refusal', type })
    expect(await world().app.revision()).toBe(before)
    expect(await running.store.hosts.find('other')).toMatchObject({ scope: other, version: 'develop' })
  })

  test('to delete develop, and to point a host at what is not there', async () => {
    await expect(deleteVersion(world(), 'develop')).rejects.toThrow(Refusal)
    await expect(pointHosts(world(), 'v9', ['small'])).rejects.toThrow(Refusal)
    expect(await get('small', '/')).toContain(page('old'))
  })
})
