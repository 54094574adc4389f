import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readBundle } from '../../../server/bundle/read.ts'
import { openFolder, treeOf } from '../../../server/bundle/tree.ts'
import { application, type Contents, device, envelope, smallApp, view } from './small-app.ts'

const read = (contents: Contents) => readBundle(treeOf('small', contents))

test('finds resources by their type, wherever the file lies', async () => {
  const bundle = await read({
    'application.yaml': application(),
    'odd/place.yml': envelope('DeviceTree', device('pump')),
    'more.json': JSON.stringify({ resourceType: 'Device', resources: [device('fan')], version: 1 }),
  })
  expect(bundle.problems).toEqual([])
  expect(bundle.resources.map(({ kind, value }) => [kind.name, value.name])).toEqual([
    ['Application', 'Small'],
    ['DeviceTree', 'pump'],
    ['DeviceTree', 'fan'],
  ])
})

test('leaves other files alone, and never looks into files/', async () => {
  const { problems, resources, assets } = await read({
    'application.yaml': application(),
    'requests.json': '{"requests": []}',
    'index.yaml': 'name: x',
    'files/broken.yaml': 'a: [',
    'files/devices.yaml': envelope('DeviceTree', device('pump')),
  })
  expect(problems).toEqual([])
  expect(resources).toHaveLength(1)
  expect(assets.map((one) => one.path)).toEqual(['/broken.yaml', '/devices.yaml'])
})

test('reads trees as resources with parents, bodies byte for byte, and the read-me', async () => {
  const bundle = await read(smallApp())
  const pump = bundle.resources.find((one) => one.value.name === 'pump' && one.kind.name === 'DeviceTree')
  expect(pump).toMatchObject({ pointer: '/resources/0/children/0', parent: { value: { name: 'rack' } } })
  const home = bundle.resources.find((one) => one.value.name === 'home')
  expect(home?.text).toEqual({ file: 'experience/develop/pages/home.hbs', content: expect.stringContaining('\r\n') })
  expect(bundle.readme?.content).toContain('~exportplaceholderid-application-small~')
})

test('takes the folder that holds the application when it lies one level deeper', async () => {
  const contents = Object.fromEntries(Object.entries(smallApp()).map(([path, content]) => [`top/${path}`, content]))
  const bundle = await read(contents)
  expect(bundle.problems).toEqual([])
  expect(bundle.assets.map((one) => one.path)).toEqual(['/img/dot.svg'])
})

describe('says what cannot be read, all of it at once', () => {
  const rows: [string, Contents, { code: string; file: string; severity?: string }[]][] = [
    ['no application', {}, [{ code: 'bundle.missing', file: 'application.yaml' }]],
    ['not YAML', { 'a.yaml': 'a: [' }, [{ code: 'bundle.yaml', file: 'a.yaml' }]],
    ['not JSON', { 'a.json': '{"resourceType":' }, [{ code: 'bundle.json', file: 'a.json' }]],
    ['not UTF-8', { 'a.yaml': new Uint8Array([0xff, 0xfe, 0x61]) }, [{ code: 'bundle.yaml', file: 'a.yaml' }]],
    [
      'another version',
      { 'a.yaml': 'resourceType: Flow\nresources: []\nversion: 2' },
      [{ code: 'bundle.envelope', file: 'a.yaml' }],
    ],
    [
      'no list',
      { 'a.yaml': 'resourceType: Flow\nresources: {}\nversion: 1' },
      [{ code: 'bundle.envelope', file: 'a.yaml' }],
    ],
    [
      'no objects',
      { 'a.yaml': 'resourceType: Flow\nresources: [1]\nversion: 1' },
      [{ code: 'bundle.envelope', file: 'a.yaml' }],
    ],
    [
      'an unknown kind',
      { 'a.yaml': 'resourceType: Robot\nresources: []\nversion: 1' },
      [{ code: 'bundle.kind', file: 'a.yaml', severity: 'warning' }],
    ],
    [
      'a missing body',
      { 'a.yaml': envelope('ExperienceView', view('page', 'home')) },
      [{ code: 'bundle.missing', file: 'a.yaml' }],
    ],
    [
      'several',
      { 'a.yaml': 'a: [', 'b.json': '{"x"', 'c.yaml': '- : -\n :' },
      [
        { code: 'bundle.yaml', file: 'a.yaml' },
        { code: 'bundle.json', file: 'b.json' },
        { code: 'bundle.yaml', file: 'c.yaml' },
      ],
    ],
  ]
  test.each(rows)('%s', async (what, contents, expected) => {
    const own: Contents = what === 'no application' ? {} : { 'application.yaml': application() }
    const { problems } = await read({ ...contents, ...own })
    expect(problems).toMatchObject(expected.map((one) => ({ severity: 'error', ...one })))
    expect(problems).toHaveLength(expected.length)
  })
})

test.each(['../../secret', '/etc/passwd', './a/../../../secret', 'a\\b', 'x\0y', '../../small/../x'])(
  'refuses the local file name %j',
  async (localFilename) => {
    const { problems, resources } = await read({
      'application.yaml': application(),
      'views/views.yaml': envelope('ExperienceView', view('page', 'home', { localFilename })),
    })
    expect(problems.map((one) => one.code)).toEqual(['bundle.path'])
    expect(resources.every((one) => one.text === undefined)).toBe(true)
  },
)

describe('a folder on the disk', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headgate-bundle-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const put = async (path: string, content: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }

  test('is listed in order, without what is hidden', async () => {
    for (const path of ['b.yaml', 'a/c.yaml', '.git/x', '.env', 'node_modules/m/i.js', 'files/.well-known/x']) {
      await put(path, path)
    }
    const tree = await openFolder(folder)
    expect([...tree.files.keys()]).toEqual(['a/c.yaml', 'b.yaml', 'files/.well-known/x'])
    expect(tree.problems).toEqual([])
  })

  test('follows a link to a file of its own, and none that leaves it', async () => {
    const outside = `${folder}-outside`
    await mkdir(outside)
    try {
      await writeFile(join(outside, 'secret'), 'secret')
      await put('own.txt', 'own')
      await symlink(join(folder, 'own.txt'), join(folder, 'good.txt'))
      await symlink(join(outside, 'secret'), join(folder, 'bad.txt'))
      await symlink(outside, join(folder, 'files'))
      await symlink(join(folder, 'nowhere'), join(folder, 'broken.txt'))
      await symlink(folder, join(folder, 'loop'))
      const tree = await openFolder(folder)
      expect([...tree.files.keys()]).toEqual(['good.txt', 'own.txt'])
      expect(Object.fromEntries(tree.problems.map((one) => [one.file, one.code]))).toEqual({
        'bad.txt': 'bundle.path',
        'broken.txt': 'bundle.missing',
        files: 'bundle.path',
        loop: 'bundle.path',
      })
    } finally {
      await rm(outside, { recursive: true })
    }
  })

  test('is refused when it is nested too deep', async () => {
    await put(`${'d/'.repeat(40)}x.yaml`, 'a: 1')
    const tree = await openFolder(folder)
    expect(tree.files.size).toBe(0)
    expect(tree.problems).toMatchObject([{ code: 'bundle.limit' }])
  })
})
