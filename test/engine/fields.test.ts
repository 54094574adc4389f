import { expect, test } from 'vitest'
import {
  byType,
  choice,
  choiceTemplate,
  compileGroup,
  type Field,
  flag,
  json,
  list,
  numberTemplate,
  optional,
  path,
  template,
  text,
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
  ['optional template', (o: { key: string }) => optional(template(o)), null, undefined],
  ['optional template', (o: { key: string }) => optional(template(o)), '', ''],
])('a %s reads what is written, case %#', (_, field, raw, expected) => {
  const payload = { n: 5, w: 'two', list: [1] }
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
