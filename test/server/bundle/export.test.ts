import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { exportBundle } from '../../../server/bundle/export.ts'
import { camelName, fileNameMaker, placeholderMaker } from '../../../server/bundle/names.ts'
import { parseYaml } from '../../../server/bundle/parse.ts'
import { printYaml, sortKeys } from '../../../server/bundle/print.ts'
import { openFolder } from '../../../server/bundle/tree.ts'
import { createVersion } from '../../../server/experience/versions.ts'
import type { Store } from '../../../server/store/port.ts'
import { openTestStore } from '../../helpers/store.ts'
import {
  application,
  type Contents,
  cloudFlow,
  device,
  documentsOf,
  envelope,
  experienceFlow,
  hostUrls,
  importContents,
  ref,
  smallApp,
  view,
} from './small-app.ts'

async function exportContents(store: Store, slug: string): Promise<Contents> {
  const host = await store.hosts.find(slug)
  const files = await exportBundle(store.app(host!.scope), { hostUrls })
  const contents: Contents = {}
  for (const [path, content] of files)
    contents[path] = typeof content === 'string' ? content : Buffer.from(await content())
  return contents
}

async function folderContents(folder: string): Promise<Contents> {
  const { files } = await openFolder(folder)
  const contents: Contents = {}
  for (const file of files.values()) {
    const bytes = Buffer.from(await file.read())
    contents[file.path] = /\.(hbs|yaml|json|md)$/.test(file.path) ? bytes.toString() : bytes
  }
  return contents
}

/** The resources of all files by kind and placeholder, whatever the files and orders. */
function resourcesOf(contents: Contents): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [path, content] of Object.entries(contents)) {
    // Tests of flows belong to the folder, not to the application.
    if (!path.endsWith('.yaml') || path.endsWith('.test.yaml') || path.startsWith('files/')) continue
    const { resourceType, resources } = parse(String(content)) as {
      resourceType: string
      resources: Record<string, unknown>[]
    }
    const add = (one: Record<string, unknown>) => {
      const { children, keywords: _, ...own } = one
      found[`${resourceType} ${one.id}`] = own
      for (const child of (children ?? []) as Record<string, unknown>[]) add(child)
    }
    for (const one of resources) add(one)
  }
  return found
}

describe('import, export, import gives the same application', () => {
  test.each(['generators', 'one-to-many', 'many-to-many'])('%s', async (name) => {
    const store = await openTestStore()
    const original = await folderContents(`examples/${name}`)
    expect(await importContents(store, original, { slug: 'first' })).toMatchObject({ imported: true })
    const exported = await exportContents(store, 'first')
    expect(resourcesOf(exported)).toEqual(resourcesOf(original))
    for (const [path, content] of Object.entries(original)) {
      if (/\.hbs$|^files\/|^README/.test(path)) expect([path, String(exported[path])]).toEqual([path, String(content)])
    }
    expect(await importContents(store, exported, { slug: 'second' })).toMatchObject({ imported: true })
    expect(await exportContents(store, 'second')).toEqual(exported)
  })

  test('a small one, with every kind, an unknown node and hosts in its texts', async () => {
    const store = await openTestStore()
    const node = {
      id: '22e52418',
      type: 'TeleportNode',
      config: { y: 'yes', no: ['1', 1, null, true, ''] },
      extra: { z: [] },
    }
    const original: Contents = {
      ...smallApp(),
      'odd.yaml': envelope(
        'ExperienceFlowVersion',
        experienceFlow('odd', { nodes: [node], triggers: [], custom: { keep: 1 } }),
      ),
      'workflows/customNode/Twice.yaml': envelope(
        'Flow',
        cloudFlow('twice', { flowClass: 'customNode', customNodeConfig: { outputCount: 1 } }),
      ),
      'workflowVersions/v1.0.0.yaml': envelope('FlowVersion', {
        ...{ id: ref('flowVersion', 'v100'), flowId: ref('flow', 'twice'), version: 'v1.0.0', enabled: true },
        ...{ triggers: [], nodes: [], globals: [], notes: 'first' },
      }),
      'experience/develop/pages/home.hbs': `https://~exportplaceholderid-files-domain~/${ref('application', 'small')}/a.png`,
      'privateFiles/a.txt': 'private',
    }
    await importContents(store, original)
    const exported = await exportContents(store, 'small')
    expect(resourcesOf(exported)[`ExperienceFlowVersion ${ref('flowVersion', 'odd')}`]).toMatchObject({
      nodes: [node],
      custom: { keep: 1 },
    })
    expect(exported['experience/develop/pages/home.hbs']).toBe(original['experience/develop/pages/home.hbs'])
    expect(exported['README.md']).toBe(original['README.md'])
    expect(exported['workflowVersions/v1.0.0.yaml']).toContain('notes: first')
    expect(String(exported['privateFiles/a.txt'])).toBe('private')
    await importContents(store, exported, { slug: 'second' })
    expect(await exportContents(store, 'second')).toEqual(exported)
  })

  test('a cloud flow that is switched on says so, and one that is off is silent', async () => {
    const store = await openTestStore()
    await importContents(store, {
      'application.yaml': application(),
      'a.yaml': envelope('Flow', cloudFlow('on', { enabled: true })),
      'b.yaml': envelope('Flow', cloudFlow('off', { enabled: false })),
    })
    const exported = await exportContents(store, 'small')
    expect(exported['workflows/cloud/on.yaml']).toContain('enabled: true')
    expect(exported['workflows/cloud/off.yaml']).not.toContain('enabled')
  })
})

test('what serves all versions finds its way into a version that came with an export, too', async () => {
  const store = await openTestStore()
  const { scope } = await importContents(store, smallApp())
  await createVersion({ app: store.app(scope) }, { version: '1.0' })
  const exported = await exportContents(store, 'small')
  await importContents(store, exported, { slug: 'second' })
  for (const name of ['endpoints', 'views'] as const) {
    for (const slug of ['small', 'second']) {
      const all = await documentsOf(store, name, slug)
      const copies = all.filter(({ version }) => version === '1.0')
      const keyOf = (one: object) =>
        JSON.stringify(['method', 'route', 'viewType', 'name'].map((key) => Reflect.get(one, key)))
      const original = (copy: object) => all.find((one) => one.version === 'develop' && keyOf(one) === keyOf(copy))
      expect(copies).not.toEqual([])
      expect(copies.map(({ copyOf }) => copyOf)).toEqual(copies.map((one) => original(one)!.id))
    }
  }
  const { changes } = await importContents(store, exported, { slug: 'second' })
  for (const one of Object.values(changes)) expect(one).toMatchObject({ created: 0, updated: 0, removed: 0 })
})

test('nothing secret and no id of the store leaves with an export', async () => {
  const store = await openTestStore()
  const { scope } = await importContents(store, smallApp(), { password: 'secret-word' })
  const secret = (await store.app(scope).collection('application').get(scope.application))?.secret
  const text = Object.values(await exportContents(store, 'small'))
    .map(String)
    .join('\n')
  expect(text).not.toContain(secret)
  expect(text).not.toMatch(/passwordHash|argon2id|tokenCutoff|revision|creationDate/)
  expect(text).not.toMatch(/[0-9a-f]{24}/)
})

test('names that collide get numbers', async () => {
  const store = await openTestStore()
  await importContents(store, {
    'application.yaml': application(),
    'd.yaml': envelope('DeviceTree', device('a', { name: 'Pump 1' }), device('b', { name: 'pump-1' })),
    'v.yaml': envelope(
      'ExperienceView',
      view('component', 'a', { name: 'a/b', localFilename: undefined, body: '1' }),
      view('component', 'b', { name: 'A?b', localFilename: undefined, body: '2' }),
    ),
  })
  const exported = await exportContents(store, 'small')
  expect(
    Object.keys(exported)
      .filter((path) => path.endsWith('.hbs'))
      .sort(),
  ).toEqual(['experience/develop/components/A_b.hbs', 'experience/develop/components/a_b-1.hbs'])
  expect(exported['devices.yaml']).toContain(ref('device', 'pump1'))
  expect(exported['devices.yaml']).toContain(ref('device', 'pump1-1'))
})

test.each([
  ['San Bruno Generator 1', 'sanBrunoGenerator1'],
  ['v1.0.0', 'v100'],
  ['API_device', 'apiDevice'],
  ['get /', 'get'],
  ['get /{any*}', 'getAny'],
  ['get /api/devices/{deviceId}', 'getApiDevicesDeviceId'],
  ['support@kanarra.example', 'supportKanarraExample'],
  ['K500-24023', 'k50024023'],
  ['Überblick', 'uberblick'],
  ['日本', 'unnamed'],
  ['', 'unnamed'],
])('the placeholder name of %j is %s', (name, expected) => {
  expect(camelName(name)).toBe(expected)
})

test('placeholders and file names are unique and safe whatever the names are', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 30 }), (names) => {
      const placeholders = names.map(
        (
          (make) => (name: string) =>
            make('device', name)
        )(placeholderMaker()),
      )
      expect(new Set(placeholders).size).toBe(names.length)
      for (const one of placeholders) expect(one).toMatch(/^~exportplaceholderid-device-[A-Za-z0-9-]+~$/)
      const files = names.map(fileNameMaker())
      expect(new Set(files.map((one) => one.toLowerCase())).size).toBe(names.length)
      for (const one of files) expect(one).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/)
    }),
  )
})

describe('printYaml', () => {
  test.each([
    'y',
    'No',
    'ON',
    '22e52418',
    '0x1F',
    '0o17',
    '017',
    '1_000',
    '12:30:45',
    '1e3',
    '.5',
    '2024-01-01',
    '~',
    'null',
    '',
    '<<',
    '=',
    '.inf',
    '-1',
  ])('quotes %j as a value and as a key', (text) => {
    const printed = printYaml({ a: text, [text]: 1 })
    expect(printed).toMatch(/^a: ['"]/)
    expect(parse(printed, { version: '1.1' })).toEqual({ a: text, [text]: 1 })
    expect(parseYaml(printed)).toEqual({ value: { a: text, [text]: 1 } })
  })

  test('is read back as the same value, by 1.1 and 1.2, without anchors', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom(' ', '\n', 'a', '\r', '\t', '#', ':', '-', '{', "'", '"', '>') }),
    )
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value')),
        fc.dictionary(
          text.filter((key) => key !== '__proto__'),
          tie('value'),
        ),
      ),
    })).value
    fc.assert(
      fc.property(json, (value) => {
        const printed = printYaml({ value: sortKeys(value) })
        expect(parseYaml(printed)).toEqual({ value: { value } })
        expect(parse(printed, { version: '1.1' })).toEqual({ value })
      }),
      { numRuns: 1000 },
    )
  })

  test('writes a shared value twice', () => {
    const shared = { a: [1] }
    expect(printYaml({ x: shared, y: shared })).toBe("x:\n  a:\n    - 1\n'y':\n  a:\n    - 1\n")
  })
})
