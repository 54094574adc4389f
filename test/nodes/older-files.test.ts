import { expect, test } from 'vitest'
import { FlowError } from '../../engine/errors.ts'
import { compileGroup, type Field } from '../../engine/fields.ts'
import { openTemplates } from '../../engine/template.ts'
import { nodes } from '../../nodes/index.ts'

type Fields = Record<string, Field<unknown>>

const templates = openTemplates()

/** What is found wrong with the settings, and what they are on an empty payload. */
function settled(fields: Fields, config: Record<string, unknown>) {
  const problems: string[] = []
  const report = ({ code, pointer }: { code: string; pointer: string }) => problems.push(`${code} ${pointer}`)
  const settings = compileGroup(fields, config, { templates, pointer: '', meta: config, metaPointer: '', report })
  try {
    return { problems, values: JSON.parse(JSON.stringify(settings({ payload: {} }))) as unknown }
  } catch (error) {
    if (error instanceof FlowError) return { problems, code: error.code }
    throw error
  }
}

/** Each group of settings of a node: its own, and those of an entry of each of its lists. */
const groups = nodes.flatMap(({ type, config }) => {
  const fields = config as Fields
  const lists = Object.values(fields).filter(({ kind, of }) => kind === 'list' && of && !Array.isArray(of))
  return [{ name: type, fields }, ...lists.map(({ key, of }) => ({ name: `${type} ${key}`, fields: of as Fields }))]
})

test.each(groups)('a setting of $name that is null, or blank, is as one that older files do not have', ({ fields }) => {
  const absent = settled(fields, {})
  const given = (blank: unknown, of = Object.values(fields)) =>
    settled(fields, Object.fromEntries(of.map(({ key }) => [key, blank])))
  expect(given(null)).toEqual(absent)
  // A text that is used as written, and a tag value, say something by being blank.
  const others = Object.values(fields).filter(({ kind }) => kind !== 'text')
  expect(given('', others).problems).toEqual(absent.problems)
})
