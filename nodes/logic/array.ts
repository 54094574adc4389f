import {
  byType,
  choice,
  expression,
  lazy,
  list,
  numberTemplate,
  path,
  template,
  unused,
  value,
} from '../../engine/fields.ts'
import { checkListLength, copyBounded, takeTurns } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { applyRule, toList } from './array-rules.ts'

const MOST_RULES = 15

const listIndex = numberTemplate()

export const array = defineNode({
  type: 'array',
  aliases: ['ArrayNode'],
  group: 'logic',
  title: 'Array',
  summary: 'Changes a list or finds something in it, one rule after another.',
  outputs: ['next'],
  needs: [],
  config: {
    source: path({
      key: 'sourceArrayPath',
      label: 'List',
      help: 'A missing list is empty; a text is a list of its characters.',
      required: true,
    }),
    destination: path({ key: 'destArrayPath', label: 'Changed list', help: 'Empty: the list itself.', writes: true }),
    rules: list({
      key: 'rules',
      label: 'Rules',
      help: 'One to 15, one after another: later ones see what those before did.',
      most: MOST_RULES,
      of: {
        type: choice({
          key: 'type',
          label: 'Do',
          help: 'What is done to the list, or looked for in it.',
          of: [
            ...(['push', 'unshift', 'concat', 'insertAt', 'replaceAt', 'removeAt', 'shift', 'pop', 'slice'] as const),
            ...(['reverse', 'compact', 'flatten', 'deduplicate', 'deduplicateBy', 'sort', 'sortBy'] as const),
            ...(['filter', 'indexOf', 'lookupAt', 'length', 'sum', 'keyBy', 'groupBy'] as const),
          ],
        }),
        // Read when its turn comes: a rule sees what those before it wrote.
        input: lazy(
          byType({
            key: 'inputTemplate',
            label: 'Input',
            help: 'What push, unshift, concat, insertAt, replaceAt and indexOf take; the name of a property for keyBy, groupBy, sortBy and deduplicateBy; an expression over {{value}}, {{index}}, {{array}} and {{payload}} for filter; where slice starts.',
            typeKey: 'type',
            kinds: {
              ...{ push: value(), unshift: value(), concat: value(), insertAt: value(), replaceAt: value() },
              ...{ indexOf: value(), filter: expression({ required: true }), slice: listIndex },
              ...{ keyBy: template(), groupBy: template(), sortBy: template(), deduplicateBy: template() },
              ...{ removeAt: unused(), shift: unused(), pop: unused(), reverse: unused(), compact: unused() },
              ...{ flatten: unused(), deduplicate: unused(), sort: unused(), lookupAt: unused() },
              ...{ length: unused(), sum: unused() },
            },
          }),
        ),
        index: lazy(numberTemplate({ key: 'indexTemplate', label: 'Index', help: 'Negative: from the end.' })),
        order: choice({
          key: 'order',
          label: 'Order',
          help: 'Of sort and sortBy; missing values come last in either direction.',
          of: ['ascending', 'descending'],
        }),
        result: path({
          key: 'outputPath',
          label: 'Result',
          help: 'Where a rule puts what it found or took out. Empty: it is dropped.',
          writes: true,
        }),
      },
    }),
  },
  examples: [
    {
      title: 'Add a device, then look it up by name',
      config: {
        sourceArrayPath: 'working.devices',
        rules: [
          { type: 'push', inputTemplate: '{{data.device}}' },
          { type: 'keyBy', inputTemplate: 'name', outputPath: 'working.byName' },
        ],
      },
      payload: { data: { device: { name: 'pump' } } },
      output: 'next',
      result: {
        data: { device: { name: 'pump' } },
        working: { devices: [{ name: 'pump' }], byName: { pump: { name: 'pump' } } },
      },
    },
  ],
  async run(context) {
    const { source, destination, rules } = context.config
    let items = toList(source.read())
    let changed = false
    for (const rule of rules) {
      const step = await applyRule(items, rule, { payload: context.payload, turn: takeTurns(context.signal) })
      if (step.items) {
        items = step.items
        changed = true
        checkListLength(items.length)
      }
      if ('result' in step) rule.result.write(copyBounded(step.result))
    }
    if (destination.given) destination.write(copyBounded(items))
    else if (changed) source.write(copyBounded(items))
  },
})
