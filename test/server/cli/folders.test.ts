import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { importFolder } from '../../../server/bundle/import-folder.ts'
import { checkCommand } from '../../../server/cli/check.ts'
import { exportCommand } from '../../../server/cli/export.ts'
import { importCommand } from '../../../server/cli/import.ts'
import { nodesCommand } from '../../../server/cli/nodes.ts'
import { ConfigError } from '../../../server/config.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { openTestStore, temporaryFolder } from '../../helpers/store.ts'
import { type Contents, cloudFlow, device, envelope, smallApp } from '../bundle/small-app.ts'

let folder: string
let out: string[]
let err: string[]
let io: { out(line: string): void; err(line: string): void; env: NodeJS.ProcessEnv }

beforeEach(async () => {
  folder = await temporaryFolder()
  out = []
  err = []
  io = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    env: { DATA_DIR: join(folder, 'data') },
  }
})

async function put(dir: string, contents: Contents): Promise<string> {
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(join(folder, dir, path)), { recursive: true })
    await writeFile(join(folder, dir, path), content)
  }
  return join(folder, dir)
}

const json = () => JSON.parse(out.join('\n'))
const badNode = { id: 'a', type: 'ConditionalNode', config: { expression: {} }, meta: {}, outputIds: [['gone']] }
const bad = cloudFlow('bad', { triggers: [], nodes: [badNode, { id: 'b', type: 'TeleportNode' }] })

describe('check', () => {
  test('of a sound folder is quiet and ends with 0', async () => {
    expect(await checkCommand([await put('small', smallApp())], io)).toBe(0)
    expect(out).toEqual(['2 flows, 0 errors, 0 warnings'])
  })

  test('--json prints every problem with its place, and what is not supported', async () => {
    const dir = await put('small', {
      ...smallApp(),
      'workflows/Bad.yaml': envelope('Flow', bad),
      'x.yaml': envelope('DeviceTree', device('x', { tags: 1 })),
    })
    expect(await checkCommand([dir, '--json'], io)).toBe(1)
    expect(json()).toEqual({
      files: [
        { file: join(dir, 'experience/develop/workflows/Greet.yaml'), flow: 'greet', problems: [] },
        {
          file: join(dir, 'workflows/Bad.yaml'),
          flow: 'bad',
          problems: expect.arrayContaining([
            {
              code: 'document.wire',
              message: expect.any(String),
              node: 'a',
              pointer: '/resources/0/nodes/0/outputIds/0/0',
            },
            {
              code: 'config.type',
              message: expect.any(String),
              node: 'a',
              pointer: '/resources/0/nodes/0/config/expression',
            },
            {
              code: 'node.unknown',
              message: expect.any(String),
              node: 'b',
              pointer: '/resources/0/nodes/1/type',
            },
          ]),
        },
        { file: join(dir, 'workflows/cloud/Tick.yaml'), flow: 'tick', problems: [] },
        {
          file: join(dir, 'x.yaml'),
          flow: null,
          problems: [
            {
              code: 'resource.field',
              message: expect.any(String),
              node: null,
              pointer: '/resources/0/tags',
            },
          ],
        },
      ],
      unsupported: { TeleportNode: 1 },
    })
  })

  test('names file, line, flow and node for a person', async () => {
    const dir = await put('small', { ...smallApp(), 'workflows/Bad.yaml': envelope('Flow', bad) })
    await checkCommand([dir], io)
    expect(out.join('\n')).toMatch(/workflows\/Bad\.yaml:\d+: error flow "bad" node a at \/resources\/0\/nodes\/0/)
    expect(out).toContain('Not supported:')
    expect(out.at(-1)).toBe('3 flows, 2 errors, 1 warnings')
  })

  test.each([
    ['flow.json', JSON.stringify(bad), '/nodes/0/outputIds/0/0'],
    ['flow.yaml', JSON.stringify(bad), '/nodes/0/outputIds/0/0'],
    ['flow.yml', envelope('Flow', bad), '/resources/0/nodes/0/outputIds/0/0'],
    [
      'version.json',
      JSON.stringify({ resourceType: 'ExperienceFlowVersion', resources: [bad], version: 1 }),
      '/resources/0/nodes/0/outputIds/0/0',
    ],
  ])('takes a single flow file: %s', async (name, content, pointer) => {
    await put('.', { [name]: content })
    expect(await checkCommand([join(folder, name), '--json'], io)).toBe(1)
    expect(json().files).toMatchObject([
      {
        file: join(folder, name),
        flow: 'bad',
        problems: expect.arrayContaining([expect.objectContaining({ pointer })]),
      },
    ])
  })

  test('takes several paths, and folders of flows or of applications', async () => {
    const flows = await put('flows', { 'a.json': JSON.stringify(cloudFlow('a')), 'package.json': '{}' })
    const apps = await put(
      'apps',
      Object.fromEntries(Object.entries(smallApp()).map(([path, content]) => [`one/${path}`, content])),
    )
    expect(await checkCommand([flows, apps], io)).toBe(0)
    expect(out.at(-1)).toBe('3 flows, 0 errors, 0 warnings')
  })

  test.each([
    ['text.json', '{"a": 1}', 'flow.invalid'],
    ['broken.json', '{"a"', 'bundle.json'],
    ['broken.yaml', 'a: [', 'bundle.yaml'],
    ['devices.yaml', envelope('DeviceTree', device('x')), 'flow.invalid'],
  ])('refuses %s', async (name, content, code) => {
    await put('.', { [name]: content })
    expect(await checkCommand([join(folder, name), '--json'], io)).toBe(1)
    expect(json().files).toMatchObject([{ problems: [{ code }] }])
  })

  test('refuses an empty folder, and says so when there is nothing at a path', async () => {
    await mkdir(join(folder, 'empty'))
    expect(await checkCommand([join(folder, 'empty')], io)).toBe(1)
    await expect(checkCommand([join(folder, 'nowhere')], io)).rejects.toThrow(ConfigError)
    await expect(checkCommand([], io)).rejects.toThrow(ConfigError)
  })
})

describe('import and export', () => {
  test('import says what it did; a second one finds everything as it was', async () => {
    const dir = await put('small', smallApp())
    expect(await importCommand([dir, '--password', 'secret-word'], io)).toBe(0)
    expect(out).toContain('devices: 2 created, 0 updated, 0 removed, 0 unchanged')
    expect(out.at(-1)).toBe('Imported "Small" as small')
    out.length = 0
    expect(await importCommand([dir, '--json'], io)).toBe(0)
    expect(json()).toMatchObject({
      imported: true,
      slug: 'small',
      changes: { devices: { created: 0, unchanged: 2 } },
      problems: [],
      unsupported: {},
    })
  })

  test('import of a broken folder prints the problems and ends with 1', async () => {
    const dir = await put('small', { ...smallApp(), 'workflows/Bad.yaml': envelope('Flow', bad) })
    expect(await importCommand([dir], io)).toBe(1)
    expect(err.join('\n')).toContain('document.wire')
    expect(out).toEqual(['Nothing was imported'])
  })

  test.each([[['nowhere']], [[]], [['a', 'b']], [['x', '--password', 'short']]])(
    'import %j is a mistake of the caller',
    async (args) => {
      await expect(importCommand(args, io)).rejects.toThrow(ConfigError)
    },
  )

  test('export writes a folder that imports as the same application, and again over itself', async () => {
    await importCommand([await put('small', smallApp())], io)
    const dir = join(folder, 'out')
    expect(await exportCommand(['small', dir], io)).toBe(0)
    expect(await readFile(join(dir, 'files/img/dot.svg'), 'utf8')).toBe('<svg/>')
    expect(await readFile(join(dir, 'experience/develop/pages/home.hbs'), 'utf8')).toBe(
      smallApp()['experience/develop/pages/home.hbs'],
    )
    expect(await importCommand([dir, '--slug', 'small', '--json'], io)).toBe(0)
    await writeFile(join(dir, 'notes.txt'), 'mine')
    await rm(join(folder, 'small/workflows'), { recursive: true })
    await rm(join(folder, 'small/files'), { recursive: true })
    await importCommand([join(folder, 'small')], io)
    expect(await exportCommand(['small', dir], io)).toBe(0)
    expect((await readdir(dir, { recursive: true })).filter((one) => /Tick|tick|dot|notes/.test(one))).toEqual([
      'notes.txt',
    ])
  })

  test('export refuses an id that applications of two tenants have', async () => {
    const store = await openSqlite({ file: join(folder, 'data', 'headgate.db') })
    const id = 'a'.repeat(24)
    for (const tenant of ['one', 'two']) {
      const application = store.app({ tenant, application: id }).collection('application')
      await application.insert({ id, name: `App of ${tenant}`, globals: [], secret: 's' })
    }
    await store.close()
    const dir = join(folder, 'exported')
    await expect(exportCommand([id, dir], io)).rejects.toThrow('Expected an id that one application has')
    await expect(readdir(dir)).rejects.toThrow('ENOENT')
  })

  test('export refuses a folder of other things, and an application that is not there', async () => {
    const dir = await put('small', smallApp())
    await importCommand([dir], io)
    const other = await put('other', { 'thesis.txt': 'dear' })
    await expect(exportCommand(['small', other], io)).rejects.toThrow(ConfigError)
    await expect(exportCommand(['nobody', join(folder, 'new')], io)).rejects.toThrow(ConfigError)
    expect(await readdir(other)).toEqual(['thesis.txt'])
  })
})

describe('importFolder', () => {
  test('takes DIR=slug, and gives scope, name, host and users', async () => {
    const store = await openTestStore()
    const dir = await put('small', smallApp())
    expect(await importFolder({ store, folder: `${dir}=other`, io })).toEqual({
      scope: (await store.hosts.find('other'))?.scope,
      name: 'Small',
      versions: [],
      host: 'other.localhost',
      users: ['ann@example.com', 'bob@example.com'],
      signIn: { given: [], other: [], none: ['ann@example.com', 'bob@example.com'] },
    })
  })

  test('of what it read before reads only what changed, and changes nothing in it', async () => {
    const store = await openTestStore()
    const folder = await put('small', smallApp())
    const parsed = new Map()
    await importFolder({ store, folder, io, parsed })
    for (const { value } of parsed.values()) deepFreeze(value)
    const { scope } = await importFolder({ store, folder, io, parsed })
    const before = await store.app(scope).revision()
    await put('small', {
      'devices.yaml': envelope('DeviceTree', device('rack', { name: 'Rack 2', children: [device('pump')] })),
    })
    await importFolder({ store, folder, io, parsed })
    expect((await store.app(scope).collection('devices').find()).map((one) => one.name).sort()).toEqual([
      'Rack 2',
      'pump',
    ])
    expect(await store.app(scope).revision()).toBe(before)
  })

  test('throws for a folder with errors, which are then on err', async () => {
    const store = await openTestStore()
    const dir = await put('small', { 'application.yaml': 'a: [' })
    await expect(importFolder({ store, folder: dir, io })).rejects.toThrow(ConfigError)
    expect(err.join('\n')).toContain('application.yaml')
    expect(await store.applications()).toEqual([])
  })

  test.each(['generators', 'one-to-many', 'many-to-many'])('the example %s has no problems', async (name) => {
    const dir = join(folder, name)
    await cp(join('examples', name), dir, { recursive: true })
    expect(await checkCommand([dir], io)).toBe(0)
    expect(out).toEqual([expect.stringMatching(/^\d+ flows, 0 errors, 0 warnings$/)])
  })
})

test('nodes --json prints every definition; without it, every type is named', async () => {
  expect(await nodesCommand(['--json'], io)).toBe(0)
  const definitions = json() as { type: string; aliases: string[]; config: object }[]
  expect(definitions.find((one) => one.type === 'conditional')).toMatchObject({
    aliases: ['ConditionalNode'],
    config: { verdict: { key: 'expression', kind: 'expression' } },
  })
  out.length = 0
  await nodesCommand([], io)
  for (const { type } of definitions) expect(out.some((line) => line.includes(`  ${type}`))).toBe(true)
})

function deepFreeze(value: unknown): void {
  if (value === null || typeof value !== 'object') return
  Object.freeze(value)
  Object.values(value).forEach(deepFreeze)
}
