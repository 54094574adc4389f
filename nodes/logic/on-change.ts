import { isDeepStrictEqual } from 'node:util'
import { choice, numberTemplate, path, read, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'

const types = ['any', 'all', 'value', 'valueInc', 'valueDec', 'percent', 'percentInc', 'percentDec'] as const
type ChangeType = (typeof types)[number]

export const onChange = defineNode({
  type: 'on-change',
  aliases: ['BranchOnChangeNode'],
  group: 'logic',
  title: 'On Change',
  summary: 'Takes one of two ways by whether a value has changed since it was last seen.',
  outputs: ['unchanged', 'changed'],
  needs: ['values', 'clock'],
  config: {
    value: read({
      key: 'valuePath',
      label: 'Value',
      help: 'What is compared with the value that was kept. For a change of a number only numbers, and texts of them, count.',
      required: true,
    }),
    type: choice({ key: 'changeType', label: 'Change', of: types, help: 'Value and percent: of a number, at least.' }),
    threshold: numberTemplate({
      key: 'changeThreshold',
      label: 'By at least',
      help: 'In units of the value, or in percent; a change of exactly this much counts.',
      default: 0,
    }),
    previous: path({
      key: 'prevValuePath',
      label: 'Value before',
      help: 'Where { value, time } of the kept value is put, the time in milliseconds; nothing the first time.',
      writes: true,
    }),
    id: template({ key: 'onChangeIdTemplate', label: 'Id', help: 'One value for each, such as {{device.id}}.' }),
  },
  examples: [
    {
      title: 'The first value is no change',
      config: { valuePath: 'data.door', changeType: 'any', prevValuePath: 'working.before' },
      payload: { data: { door: 'open' } },
      output: 'unchanged',
      result: { data: { door: 'open' } },
    },
  ],
  async run({ config, use, node }) {
    const value = config.type === 'any' || config.type === 'all' ? toJson(config.value) : toNumber(config.value)
    const time = use.clock.now()
    const { before, changed } = await use.values.transition(`on-change:${node.id}:${config.id}`, (stored) => {
      const before = stored as Seen | undefined
      const step = stepOf(before?.value, value, { ...config, first: before === undefined })
      return { after: step.moves ? { value, time } : before, result: { before, changed: step.changed } }
    })
    if (before !== undefined) config.previous.write(before)
    return changed ? 'changed' : 'unchanged'
  },
})

/** What is kept from run to run: the value, and when it was seen in milliseconds. */
interface Seen {
  value: unknown
  time: number
}

interface Rule {
  type: ChangeType
  threshold: number
  first: boolean
}

/** Whether the value changed enough, and whether it takes the place of the one that is kept. */
function stepOf(before: unknown, value: unknown, { type, threshold, first }: Rule) {
  if (type === 'any' || type === 'all') return { changed: !first && !isDeepStrictEqual(before, value), moves: true }
  if (typeof value !== 'number') return { changed: false, moves: false }
  // Kept by a rule of another type: nothing to compare with.
  if (first || typeof before !== 'number') return { changed: false, moves: true }
  const by = type.startsWith('percent') ? ((value - before) / Math.abs(before)) * 100 : value - before
  const risen = by > 0 && by >= threshold
  const fallen = by < 0 && -by >= threshold
  if (type.endsWith('Inc')) return { changed: risen, moves: risen || by < 0 }
  if (type.endsWith('Dec')) return { changed: fallen, moves: fallen || by > 0 }
  return { changed: risen || fallen, moves: risen || fallen }
}

// As it will be read back: a Date is text, and what JSON does not hold is gone.
function toJson(value: unknown): unknown {
  const text = JSON.stringify(value)
  return text === undefined ? undefined : JSON.parse(text)
}

/** Undefined for what is no finite number and no text of one. */
function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
