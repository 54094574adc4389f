import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { openTemplates } from '../../engine/template.ts'
import { catalog } from '../../nodes/index.ts'
import { checkBundle } from '../../server/bundle/check.ts'
import { readBundle } from '../../server/bundle/read.ts'
import { openFolder, treeOf } from '../../server/bundle/tree.ts'
import type { Store } from '../../server/store/port.ts'
import { contentsOf } from '../corpus/stage.ts'
import { openTestStore, runsOf } from '../helpers/store.ts'
import { type Contents, importContents, smallApp } from '../server/bundle/small-app.ts'
import { effort, type Mutation, mutate, mutations } from './mutate.ts'

const natural = Object.getOwnPropertyNames(Object.prototype).join()

/** One change of the bytes of a file, or of what it says. */
const edits = fc.record({
  file: fc.nat(1_000),
  kind: fc.constantFrom('say', 'say', 'say', 'say', 'cut', 'remove', 'insert', 'rename'),
  at: fc.nat(5_000),
  text: fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('\n---\n', '&a [*a]', '!!js ', '\u0000', '\ud800', '{{#each', '\t- ', '~'),
  ),
  changes: mutations as fc.Arbitrary<Mutation[]>,
})

function edit(contents: Contents, { file, kind, at, text, changes }: Edit) {
  const paths = Object.keys(contents)
  const path = paths[file % paths.length]!
  const said = String(contents[path])
  const place = at % (said.length + 1)
  if (kind === 'say' && path.endsWith('.yaml')) contents[path] = changed(said, changes) ?? said
  else if (kind === 'cut') contents[path] = said.slice(0, place)
  else if (kind === 'insert') contents[path] = said.slice(0, place) + text + said.slice(place)
  else if (kind === 'remove') delete contents[path]
  else if (kind === 'rename') {
    delete contents[path]
    contents[`${path.slice(0, place % path.length)}x${path.slice(place % path.length)}`] = said
  }
}

interface Edit {
  file: number
  kind: string
  at: number
  text: string
  changes: Mutation[]
}

/** Undefined for what an earlier change made unreadable, and for what YAML cannot hold. */
function changed(said: string, changes: readonly Mutation[]): string | undefined {
  try {
    return stringify(mutate(parse(said), changes), { aliasDuplicateObjects: false })
  } catch {
    // There is nothing to change then.
    return undefined
  }
}

async function folder(name: string): Promise<Contents> {
  const { files } = await openFolder(join(import.meta.dirname, '../../examples', name))
  const contents: Contents = {}
  for (const file of files.values()) contents[file.path] = Buffer.from(await file.read()).toString()
  return contents
}

async function everything(store: Store, slugs: string[]): Promise<string[]> {
  return Promise.all(
    slugs.map(async (slug) => {
      const host = (await store.hosts.find(slug))!
      return `${JSON.stringify(host)} ${await contentsOf(store.app(host.scope))}`
    }),
  )
}

test.each([
  ['a small application', async () => smallApp(), 60],
  ['one-to-many', () => folder('one-to-many'), 15],
] as const)(
  'a folder that was changed at random is imported whole or changes nothing: %s',
  async (_, open, few) => {
    const original = await open()
    const store = await openTestStore()
    await importContents(store, original)
    const other = { slug: 'other', tenant: 'elsewhere' }
    await importContents(store, smallApp(), other)
    let refused = 0
    let imported = 0
    const { numRuns, ...more } = effort(few)
    await fc.assert(
      fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 3 }), async (all) => {
        const contents = { ...original }
        for (const one of all) edit(contents, one)
        const bundle = await readBundle(treeOf('small', contents))
        const { problems } = checkBundle(bundle, { catalog, templates: openTemplates() })
        for (const one of problems)
          expect(one).toMatchObject({ file: expect.any(String), message: expect.stringMatching(/./) })
        const [before, others] = await everything(store, ['small', 'other'])
        const report = await importContents(store, contents)
        const errors = report.problems.filter(({ severity }) => severity === 'error')
        expect(report.imported).toBe(errors.length === 0)
        const [after, othersAfter] = await everything(store, ['small', 'other'])
        expect(othersAfter).toBe(others)
        if (report.imported) imported += 1
        else {
          refused += 1
          expect(after).toBe(before)
        }
        expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(natural)
      }),
      { numRuns: runsOf(numRuns), ...more },
    )
    expect(refused).toBeGreaterThan(0)
    expect(imported).toBeGreaterThan(0)
    // What was imported last can still be put right.
    expect((await importContents(store, original)).imported).toBe(true)
  },
  600_000,
)

test('a new slug stays free when a broken folder is imported at it', async () => {
  const store = await openTestStore()
  const contents = { ...smallApp(), 'devices.yaml': 'resourceType: DeviceTree\nresources: [{}]\nversion: 1\n' }
  const report = await importContents(store, contents)
  expect(report.imported).toBe(false)
  expect(await store.hosts.find('small')).toBeUndefined()
  expect(await store.applications()).toEqual([])
})
