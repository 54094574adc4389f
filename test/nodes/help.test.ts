import { expect, test } from 'vitest'
import type { Field } from '../../engine/fields.ts'
import { nodes, triggers } from '../../nodes/index.ts'

type Fields = Record<string, Field<unknown>>

/** Settings without a line that says what they are for, by the type of their node. */
function unexplained(type: string, fields: Fields): string[] {
  return Object.values(fields).flatMap((one) => {
    const inner = one.of !== undefined && !Array.isArray(one.of) ? unexplained(type, one.of as Fields) : []
    return one.help ? inner : [`${type} ${one.key}`, ...inner]
  })
}

test('every setting of a node or trigger says what it is for', () => {
  const settings = [...nodes, ...triggers].flatMap(({ type, config }) => unexplained(type, config as Fields))
  expect(settings).toEqual([])
})
