import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlowError } from '../../engine/errors.ts'
import { compileExpression } from '../../engine/expression.ts'
import { parsePath, readPath, writePath } from '../../engine/payload.ts'
import { openTemplates } from '../../engine/template.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { openResources } from '../../server/resources/resources.ts'
import { wrong } from '../corpus/raws.ts'
import { openTestSqlite } from '../helpers/store.ts'
import { effort } from './mutate.ts'

// What authors write, in pieces that can be put together: most of it makes no sense.
const place = fc.constantFrom(
  'wrong.list',
  'this',
  '..',
  '@root',
  '@index',
  'wrong.object.a',
  '__proto__',
  'constructor',
  'a.[0]',
  '"text"',
  '1e9',
  'null',
)
const helper = fc.constantFrom(
  'if',
  'each',
  'with',
  'unless',
  'lookup',
  'jsonEncode',
  'format',
  'match',
  'add',
  'template',
  'formatDate',
  'log',
  'eq',
  'component',
)
const { template } = fc.letrec<{ template: string; part: string; call: string }>((tie) => ({
  call: fc.oneof(
    { depthSize: 'small' },
    place,
    fc.tuple(helper, place, place).map(([one, a, b]) => `(${one} ${a} ${b})`),
    fc.tuple(helper, tie('call')).map(([one, inner]) => `(${one} ${inner})`),
  ),
  part: fc.oneof(
    { depthSize: 'small' },
    fc.string({ maxLength: 8 }),
    place.map((one) => `{{${one}}}`),
    tie('call').map((one) => `{{{${one.replace(/^\(|\)$/g, '')}}}}`),
    fc
      .tuple(helper, tie('call'), tie('template'))
      .map(([one, call, inner]) => `{{#${one} ${call}}}${inner}{{/${one}}}`),
    fc.tuple(helper, tie('template')).map(([one, inner]) => `{{#${one}}}${inner}{{else}}${inner}`),
    fc.constantFrom('{{', '}}', '{{!--', '{{> x}}', '{{~', '{{&a}}', '\\{{a}}', '{{{{raw}}}}', '{{#*inline "x"}}'),
  ),
  template: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
}))
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      '1',
      "'a'",
      '{{wrong.number}}',
      '{{wrong.list}}',
      'true',
      'undefined',
      'NaN',
      '[1, 2]',
      '{{',
      'this',
      '__proto__',
      '1e999',
      '/a/',
      '``',
    ),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '-', '*', '/', '%', '===', '<', '&&', '||', '??', '**', ',', '.', '=', '=~', ' in '),
        tie('expression'),
      )
      .map((parts) => parts.join('')),
    tie('expression').map((inner) => `(${inner})`),
    fc
      .tuple(
        fc.constantFrom('abs', 'max', 'indexOf', 'match', 'constructor', 'length', 'inArray', 'round'),
        tie('expression'),
        tie('expression'),
      )
      .map(([one, a, b]) => `${one}(${a}, ${b})`),
    fc.tuple(fc.constantFrom('!', '-', '+', '~', 'typeof '), tie('expression')).map((parts) => parts.join('')),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `${a} ? ${b} : ${c}`),
  ),
}))
const path = fc
  .array(
    fc.constantFrom(
      'a',
      '.',
      '[0]',
      '[-1]',
      '["x y"]',
      "['__proto__']",
      '__proto__',
      'constructor',
      'prototype',
      'length',
      '[99999]',
      ' ',
      '[',
      ']',
      '{{a}}',
      'é',
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))
const { query } = fc.letrec((tie) => ({
  query: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, 1, 'x', true, [], {}, '^(a+)+$', { $date: 'x' }, '\u0000', 1e308),
    fc.array(tie('query'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        '$and',
        '$or',
        '$nor',
        '$not',
        '$eq',
        '$ne',
        '$in',
        '$nin',
        '$gt',
        '$regex',
        '$tagKey',
        '$where',
        'name',
        'tags',
        'id',
        'constructor',
        'tags.kind',
        'connectionStatus',
        'creationDate',
        '$exists',
      ),
      tie('query'),
      { maxKeys: 3 },
    ),
  ),
}))

const natural = Object.getOwnPropertyNames(Object.prototype).join()

/** What is given, or the FlowError that its author sees; anything else is thrown. */
function told<T>(work: () => T): T | FlowError {
  const started = performance.now()
  try {
    return work()
  } catch (error) {
    if (error instanceof FlowError) return error
    throw error
  } finally {
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(natural)
  }
}

test('whatever a template says, it renders to text or is refused', () => {
  const templates = openTemplates()
  fc.assert(
    fc.property(template, (source) => {
      const rendered = told(() => templates.text(source)({ wrong, a: ['b'] }))
      if (!(rendered instanceof FlowError)) expect(rendered).toBeTypeOf('string')
      told(() => templates.value(source)({ wrong }))
      told(() => templates.json(source)({ wrong }))
    }),
    effort(2_000),
  )
}, 600_000)

test('whatever an expression says, it has a value or is refused', () => {
  const templates = openTemplates()
  let values = 0
  fc.assert(
    fc.property(expression, (source) => {
      const value = told(() => compileExpression(source, templates)({ wrong }))
      if (!(value instanceof FlowError)) values += 1
      expect(value).not.toBeTypeOf('function')
    }),
    effort(3_000),
  )
  expect(values).toBeGreaterThan(50)
}, 600_000)

test('whatever a path says, what is written there is read there, and nowhere else', () => {
  fc.assert(
    fc.property(path, (source) => {
      const parsed = told(() => parsePath(source))
      if (parsed instanceof FlowError || parsed === undefined) return
      const payload = { a: [{ a: 1 }], x: 'text' }
      const written = told(() => writePath(payload, parsed, 42))
      if (written instanceof FlowError) return
      expect(readPath(payload, parsed)).toBe(42)
      expect(({} as Record<string, unknown>).a).toBeUndefined()
    }),
    effort(3_000),
  )
}, 600_000)

test('whatever a query says, it finds devices, groups, users and events, or is refused', async () => {
  const app = (await openTestSqlite()).app({ tenant: 'first', application: 'a'.repeat(24) })
  const { devices, groups, users, events } = openResources({ app, now: () => 0 })
  await devices.create({ name: 'Pump', tags: [{ key: 'kind', value: 'pump' }] }, {})
  let found = 0
  await fc.assert(
    fc.asyncProperty(query, async (given) => {
      const criteria = { by: 'query' as const, query: given }
      const asked = [
        devices.find(criteria, {}, {}),
        groups.find(criteria, {}),
        users.find(criteria, {}),
        events.find(criteria, {}),
      ]
      for (const answer of await Promise.allSettled(asked)) {
        if (answer.status === 'fulfilled') found += 1
        else if (!(answer.reason instanceof Refusal) && !(answer.reason instanceof FlowError)) throw answer.reason
      }
    }),
    effort(500),
  )
  expect(found).toBeGreaterThan(20)
}, 600_000)
