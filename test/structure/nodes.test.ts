import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { catalog, nodes, triggers } from '../../nodes/index.ts'

const root = join(import.meta.dirname, '../../nodes')

async function definitionsIn(folder: RegExp): Promise<{ file: string; type: string }[]> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => folder.test(dirname(name)))
  const found = await Promise.all(
    files
      .filter((name) => name.endsWith('.ts'))
      .map(async (name) => {
        const exported = Object.values((await import(join(root, name))) as Record<string, unknown>)
        return exported.filter(isDefinition).map(({ type }) => ({ file: basename(name, '.ts'), type }))
      }),
  )
  return found.flat()
}

function isDefinition(value: unknown): value is { type: string } {
  return value !== null && typeof value === 'object' && 'type' in value && 'aliases' in value && 'config' in value
}

test('every node type that stands in a file is in the list, under the name of its file', async () => {
  const found = await definitionsIn(/^(?!trigger)\w+$/)
  expect(found.map(({ type }) => type).sort()).toEqual(nodes.map(({ type }) => type).sort())
  expect(found.filter(({ file, type }) => file !== type)).toEqual([])
})

test('every trigger type that stands in a file is in the list, under the name of its file', async () => {
  const found = await definitionsIn(/^trigger$/)
  expect(found.map(({ type }) => type).sort()).toEqual(triggers.map(({ type }) => type).sort())
  expect(found.filter(({ file, type }) => file !== type)).toEqual([])
})

test('no two types share a name', () => {
  const names = nodes.flatMap(({ type, aliases }) => [type, ...aliases])
  expect(new Set(names).size).toBe(names.length)
  expect(catalog.nodes.size).toBe(names.length)
})

test.each(nodes.map((node) => [node.type, node] as const))('%s says what it is', (_, node) => {
  expect(node.title).not.toBe('')
  expect(node.summary).toMatch(/^[A-Z][^.]*( [^.]*)+.*\.$/)
  expect(node.examples.length).toBeGreaterThan(0)
  expect(JSON.parse(JSON.stringify(node))).toMatchObject({ type: node.type, outputs: node.outputs })
})
