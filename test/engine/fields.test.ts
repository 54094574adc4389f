import { expect, test } from 'vitest'
import {
  byType,
  choice,
  choiceTemplate,
  compileGroup,
  expression,
  type Field,
  flag,
  group,
  json,
  lazy,
  list,
  numberTemplate,
  optional,
  path,
  read,
  template,
  text,
  texts,
  value,
  values,
} from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { openTemplates } from '../../engine/template.ts'

/** What a setting of the kind is on a payload: its value, or the codes of what is wrong, at once and in a run. */
function given(field: (options: { key: string }) => Field<unknown>, config: Payload, payload: Payload = {}) {
  const problems: string[] = []
  const scope = { templates: openTemplates(), pointer: '', report: ({ code }: { code: string }) => problems.push(code) }
  const setting = compileGroup({ it: field({ key: 'it' }) }, config, scope)
  try {
    return { value: setting({ payload }).it, problems }
  } catch (error) {
    return { thrown: (error as { code?: string }).code, problems }
  }
}

const words = { of: ['one', 'two'] } as const

test.each([
  ['text', text, undefined, ''],
  ['text', text, null, ''],
  ['text', text, 7, '7'],
  ['text', text, '{{x}}', '{{x}}'],
  ['flag', flag, undefined, false],
  ['flag', flag, 'true', true],
  ['flag', flag, 'false', false],
  ['flag that is true by default', (o: { key: string }) => flag({ ...o, default: true }), undefined, true],
  ['flag that is true by default', (o: { key: string }) => flag({ ...o, default: true }), '', true],
  ['flag that is true by default', (o: { key: string }) => flag({ ...o, default: true }), false, false],
  ['choice', (o: { key: string }) => choice({ ...o, ...words }), '', 'one'],
  ['choice', (o: { key: string }) => choice({ ...o, ...words, default: 'two' }), null, 'two'],
  ['rendered choice', (o: { key: string }) => choiceTemplate({ ...o, ...words }), ' {{w}} ', 'two'],
  ['template', template, undefined, ''],
  ['template', template, '{{missing}}', ''],
  ['template with a default', (o: { key: string }) => template({ ...o, default: '{{w}}!' }), '  ', 'two!'],
  ['number', numberTemplate, undefined, undefined],
  ['number', numberTemplate, ' ', undefined],
  ['number', numberTemplate, 0, 0],
  ['number', numberTemplate, '-1.5e2', -150],
  ['number', numberTemplate, ' {{n}}0 ', 50],
  ['number', numberTemplate, '{{on}}', 1],
  ['number', numberTemplate, '{{n}}', 5],
  ['number with a default', (o: { key: string }) => numberTemplate({ ...o, default: 3 }), '{{missing}}', 3],
  ['value', value, '{{list}}', [1]],
  ['value', value, '{{missing}}', undefined],
  ['value', value, 'n={{n}}', 'n=5'],
  ['value', value, false, false],
  ['JSON', json, '', undefined],
  ['JSON', json, '{"n": {{n}} }', { n: 5 }],
  ['JSON', json, { n: 1 }, { n: 1 }],
  ['values', values, ['{{list}}', 'a', '{{missing}}'], [1, 'a']],
  ['values', values, null, []],
  ['values', values, '{{list}}', [1]],
  ['values', values, ['{{missing}}', 'n={{n}}', '{{n}}', 7], ['n=5', 5, 7]],
  ['values', values, ['[1,2]'], ['[1,2]']],
  ['texts', texts, ['{{missing}}', '{{n}}', 'a'], ['', '5', 'a']],
  ['texts', texts, undefined, []],
  ['JSON', json, [1], [1]],
  ['JSON', json, '{{list}}', [1]],
  ['path', (o: { key: string }) => read(o), ' list.[0] ', 1],
  ['path', (o: { key: string }) => read(o), '', undefined],
  ['path', (o: { key: string }) => read(o), 'none.at.all', undefined],
  ['optional template', (o: { key: string }) => optional(template(o)), null, undefined],
  ['optional template', (o: { key: string }) => optional(template(o)), '', ''],
])('a %s reads what is written, case %#', (_, field, raw, expected) => {
  const payload = { n: 5, w: 'two', list: [1], on: '1' }
  expect(given(field, { it: raw }, payload)).toEqual({ value: expected, problems: [] })
})

test.each([
  ['required text', (o: { key: string }) => text({ ...o, required: true }), undefined, 'config.missing'],
  ['text', text, {}, 'config.type'],
  ['flag', flag, 'yes', 'config.type'],
  ['choice', (o: { key: string }) => choice({ ...o, ...words }), 'three', 'config.choice'],
  ['required template', (o: { key: string }) => template({ ...o, required: true }), ' ', 'config.missing'],
  ['template', template, [], 'config.type'],
  ['number', numberTemplate, 'many', 'config.type'],
  ['number', numberTemplate, true, 'config.type'],
  ['number', numberTemplate, [5], 'config.type'],
  ['required number', (o: { key: string }) => numberTemplate({ ...o, required: true }), undefined, 'config.missing'],
  ['required number', (o: { key: string }) => numberTemplate({ ...o, required: true }), ' ', 'config.missing'],
  ['required JSON', (o: { key: string }) => json({ ...o, required: true }), '', 'config.missing'],
  ['required choice', (o: { key: string }) => choice({ ...o, ...words }), 5, 'config.choice'],
  ['list of groups', (o: { key: string }) => list({ ...o, of: { a: text({ key: 'a' }) } }), [5], 'config.type'],
  ['list of texts', texts, 'a', 'config.type'],
  ['group', (o: { key: string }) => group({ ...o, of: { a: text({ key: 'a' }) } }), 'a', 'config.type'],
  ['value', value, { a: 1 }, 'config.type'],
  ['expression', (o: { key: string }) => expression({ ...o, required: true }), null, 'config.missing'],
  ['path', path, 'a.{{b}}', 'path.syntax'],
  ['path', path, 7, 'config.type'],
  ['written path', (o: { key: string }) => path({ ...o, writes: true }), '.', 'path.forbidden'],
  ['required path', (o: { key: string }) => path({ ...o, required: true }), '', 'config.missing'],
  ['list', (o: { key: string }) => list({ ...o, of: {} }), 'a', 'config.type'],
  ['short list', (o: { key: string }) => list({ ...o, of: {}, most: 1 }), [{}, {}], 'config.type'],
])('a %s that will not do fails when it is read and when it is reached, case %#', (_, field, raw, code) => {
  expect(given(field, { it: raw })).toEqual({ thrown: code, problems: [code] })
})

test.each([
  [
    'required template that renders to nothing',
    (o: { key: string }) => template({ ...o, required: true }),
    '{{x}}',
    'config.empty',
  ],
  ['number that is none', numberTemplate, '{{w}}', 'config.type'],
  [
    'required number that renders to nothing',
    (o: { key: string }) => numberTemplate({ ...o, required: true }),
    '{{x}}',
    'config.empty',
  ],
  ['choice of another word', (o: { key: string }) => choiceTemplate({ ...o, ...words }), '{{w}}', 'config.type'],
  ['JSON that is none', json, '{{w}}', 'template.not-json'],
])('a %s fails only the run that reaches it', (_, field, raw, code) => {
  expect(given(field, { it: raw }, { w: 'three' })).toEqual({ thrown: code, problems: [] })
})

test('one blank is a text: it is not what a required template lacks', () => {
  const field = (o: { key: string }) => template({ ...o, required: true })
  expect(given(field, { it: '{{#if x}}{{else}} {{/if}}' })).toEqual({ value: ' ', problems: [] })
})

test('a sibling says what kind a setting is', () => {
  const field = (o: { key: string }) => byType({ ...o, typeKey: 'kind', kinds: { json: json(), text: text() } })
  expect(given(field, { it: '1' }).value).toBe(1)
  expect(given(field, { it: '1', kind: 'text' }).value).toBe('1')
  expect(given(field, { it: '1', kind: 'constructor' })).toEqual({
    thrown: 'config.choice',
    problems: ['config.choice'],
  })
})

test('settings are read by own keys only', () => {
  expect(given((o) => text({ ...o, key: 'toString' }), {}).value).toBe('')
})

test('all settings of one visit of a node share a budget; the next visit, and a root of its own, has another', () => {
  const scope = {
    templates: openTemplates({ limits: { steps: 100 } }),
    pointer: '',
    report: () => expect.unreachable(),
  }
  const fields = { one: template({ key: 'one' }), many: lazy(texts({ key: 'many' })) }
  const loop = '{{#each list}}x{{/each}}'
  const setting = compileGroup(fields, { one: loop, many: [loop, loop, loop] }, scope)
  const payload = { list: Array(15).fill(1) }
  for (const visit of [1, 2]) {
    const { one, many } = setting({ payload })
    expect([visit, one, many({ list: [1] })]).toEqual([visit, 'x'.repeat(15), ['x', 'x', 'x']])
    expect(() => many()).toThrow(expect.objectContaining({ code: 'template.limit' }))
  }
})
