import { expect, test } from 'vitest'
import { nodes } from '../../nodes/index.ts'

interface FieldJson {
  kind: string
  key: string
  label?: string
  default?: unknown
  of?: string[] | Record<string, FieldJson>
  typeKey?: string
  kinds?: Record<string, FieldJson>
}
interface NodeJson {
  type: string
  title: string
  summary: string
  outputs: string[]
  config: Record<string, FieldJson>
}

const published = JSON.parse(JSON.stringify(nodes)) as NodeJson[]

/** Every field that a form shows, with the way to it. */
function fieldsOf(config: Record<string, FieldJson>, place: string): [string, FieldJson][] {
  return Object.entries(config).flatMap(([name, one]) => {
    const at = `${place}.${name}`
    const inner = one.of && !Array.isArray(one.of) ? fieldsOf(one.of, at) : []
    return [[at, one] as [string, FieldJson], ...inner]
  })
}

const fields = published.flatMap(({ type, config }) => fieldsOf(config, type))

test('every field that a form shows has a key and a label', () => {
  expect(fields.length).toBeGreaterThan(200)
  expect(fields.filter(([, { key, label }]) => !key || !label).map(([place]) => place)).toEqual([])
})

test('every choice tells its words and which of them stands when nothing is said', () => {
  const choices = fields.filter(([, { kind }]) => kind === 'choice' || kind === 'choice-template')
  expect(choices.length).toBeGreaterThan(10)
  const wrong = choices.filter(([, one]) => !Array.isArray(one.of) || !one.of.includes(one.default as string))
  expect(wrong.map(([place]) => place)).toEqual([])
})

test('every setting with several kinds tells where its kind stands, and which stands when nothing is said', () => {
  const byType = fields.filter(([, { kind }]) => kind === 'by-type')
  expect(byType.length).toBeGreaterThan(5)
  const wrong = byType.filter(([, one]) => !one.typeKey || !Object.hasOwn(one.kinds ?? {}, String(one.default)))
  expect(wrong.map(([place]) => place)).toEqual([])
})

test('every node has a title, and a summary that is one sentence', () => {
  const wrong = published.filter(({ title, summary }) => !title || !/^[A-Z][^\n]{10,140}\.$/.test(summary))
  expect(wrong.map(({ type }) => type)).toEqual([])
})

test('no node has two settings at one key', () => {
  const twice = published.flatMap(({ type, config }) => {
    const keys = Object.values(config).map(({ key }) => key)
    return keys.filter((key, i) => keys.indexOf(key) !== i).map((key) => `${type}.${key}`)
  })
  expect(twice).toEqual([])
})
