import { type Call, type Helper, type Helpers, innerFrame } from './helper.ts'
import { isEmpty, readOwn, toKey } from './values.ts'

const each: Helper = {
  block: 'only',
  least: 1,
  run: ([list], call) => {
    if (Array.isArray(list)) return repeat(list.length, (i) => ({ item: list[i], key: i }), call)
    if (typeof list === 'number') return repeat(countOf(list), (i) => ({ item: i, key: i }), call)
    if (list === null || typeof list !== 'object') return call.otherwise(call.context)
    const keys = Object.keys(list)
    return repeat(keys.length, (i) => ({ item: readOwn(list, keys[i]!), key: keys[i]! }), call)
  },
}

/** `{{#path}}`: the body for true and for a value, once for each element of a list, else the part after `{{else}}`. */
export const section: Helper = {
  block: 'only',
  run: ([value], call) => {
    if (value === true) return call.body!(call.context)
    if (value === false || value === null || value === undefined) return call.otherwise(call.context)
    return Array.isArray(value) ? each.run([value], call) : call.body!(value, { params: [value] })
  },
}

const choose = (wanted: boolean): Helper => ({
  block: 'only',
  least: 1,
  run: ([value], call) => {
    const empty = isEmpty(value) || (value === 0 && call.hash.includeZero !== true)
    return empty === wanted ? call.otherwise(call.context) : call.body!(call.context)
  },
})

/** Blocks that choose, repeat and change `this`. */
export const iterationHelpers: Helpers = {
  each,
  if: choose(true),
  unless: choose(false),
  with: {
    block: 'only',
    least: 1,
    run: ([value], call) => (isEmpty(value) ? call.otherwise(call.context) : call.body!(value, { params: [value] })),
  },
  lookup: { run: ([object, key]) => readOwn(object, toKey(key)) },
  log: { run: () => undefined },
}

function repeat(count: number, at: (i: number) => { item: unknown; key: string | number }, call: Call): string {
  if (count === 0) return call.otherwise(call.context)
  const frame = innerFrame(call.frame)
  let text = ''
  for (let i = 0; i < count; i++) {
    const { item, key } = at(i)
    frame.key = key
    frame.index = i
    frame.first = i === 0
    frame.last = i === count - 1
    text += call.body!(item, { frame, params: [item, key] })
  }
  return text
}

function countOf(number: number): number {
  return number > 0 ? Math.floor(number) : 0
}
