import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { generatedFiles, generatedFolders } from '../../server/docs/generate.ts'

const root = join(import.meta.dirname, '../..')
let files: Map<string, string>

beforeAll(async () => {
  files = await generatedFiles()
}, 120_000)

// npm run generate mends it.
test('schema/ and docs/nodes/ hold what the definitions of nodes and triggers make of them', () => {
  const there = generatedFolders.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  expect(there.sort()).toEqual([...files.keys()].sort())
  const stale = [...files].filter(([path, text]) => readFileSync(join(root, path), 'utf8') !== text)
  expect(stale.map(([path]) => path)).toEqual([])
})

test('links between the pages lead somewhere', () => {
  const index = files.get('docs/nodes/README.md')!
  const targets = [...index.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => `docs/nodes/${target}`)
  expect(targets.filter((path) => !files.has(path))).toEqual([])
  const pages = [...files.keys()].filter((path) => path.startsWith('docs/nodes/') && !path.endsWith('README.md'))
  expect(targets.toSorted()).toEqual(pages.sort())
})

test('every setting on every page has a name and a kind in words', () => {
  const wrong = [...files].filter(([, text]) => /^\| {2}\| `|\| (by-type|whole-payload|custom-inputs) \|/m.test(text))
  expect(wrong.map(([path]) => path)).toEqual([])
})
