import { expect, test } from 'vitest'
import { debug } from '../../../nodes/debug/debug.ts'
import { note } from '../../../nodes/debug/note.ts'
import { throwError } from '../../../nodes/debug/throw-error.ts'
import { runNode } from '../../helpers/run-node.ts'
import { recordDebug } from '../../helpers/services.ts'

const payload = { data: { name: 'pump', n: 1 } }

test.each([
  [{}, { level: 'verbose', message: '', value: payload }],
  [
    { message: 'Hi {{data.name}}', level: 'warn' },
    { level: 'warn', message: 'Hi pump', value: payload },
  ],
  [{ property: 'data.n' }, { level: 'verbose', message: '', value: 1, path: 'data.n' }],
  [{ property: 'data.none' }, { level: 'verbose', message: '', value: undefined, path: 'data.none' }],
  [{ property: '.' }, { level: 'verbose', message: '', value: payload, path: '.' }],
])('with %j it records %j', async (config, entry) => {
  const log = recordDebug()
  const run = await runNode(debug, { config, payload, use: { debug: log } })
  expect(run).toMatchObject({ output: 'next', error: undefined, payload })
  expect(log.entries).toEqual([{ ...entry, node: undefined }])
})

test('says what is wrong with its message, and does not fail', async () => {
  const log = recordDebug()
  const run = await runNode(debug, { config: { message: '{{#if}}' }, payload, use: { debug: log } })
  expect(run.error).toBeUndefined()
  expect(run.problems).toMatchObject([{ code: 'template.syntax', pointer: '/config/message' }])
  expect(log.entries).toHaveLength(1)
})

test.each([
  ['a level that there is not', { level: 'shout' }, /one of verbose/],
  ['a path that is none', { property: 'a..b' }, /payload path/],
  ['a level that is none', { level: 5, message: 'x' }, /one of verbose/],
  ['a message that cannot be rendered', { message: "{{format data.n 'nonsense!'}}" }, /number format/],
])('never fails: %s is said in its message', async (_, config, words) => {
  const log = recordDebug()
  const run = await runNode(debug, { config, payload, use: { debug: log } })
  expect(run).toMatchObject({ output: 'next', error: undefined, payload })
  expect(log.entries).toMatchObject([{ level: 'verbose', message: expect.stringMatching(words), value: payload }])
})

test('a level of an older file is none', async () => {
  const log = recordDebug()
  for (const level of [undefined, null, ''])
    await runNode(debug, { config: { level }, meta: { category: 'output' }, payload, use: { debug: log } })
  expect(log.entries.map((entry) => (entry as { level: string }).level)).toEqual(['verbose', 'verbose', 'verbose'])
})

test('a note changes nothing and leads nowhere', async () => {
  const run = await runNode(note, { meta: { annotationText: '# Why' }, payload })
  expect(run).toMatchObject({ output: undefined, payload, problems: [], error: undefined })
})

test('throw-error fails with its message', async () => {
  const run = await runNode(throwError, { config: { messageTemplate: 'No {{data.name}}' }, payload })
  expect(run.error).toMatchObject({ code: 'error.thrown', message: 'No pump', name: 'ThrowErrorNodeError' })
})

test('throw-error prints what its message names, unescaped when it is all of it', async () => {
  const of = async (messageTemplate: unknown) =>
    (await runNode(throwError, { config: { messageTemplate }, payload: { ...payload, html: '<b>' } })).error?.message
  expect(await of('{{html}}')).toBe('<b>')
  expect(await of('{{data.n}}')).toBe('1')
  expect(await of(' ')).toContain('Expected a template')
})

test('throw-error without a message says so', async () => {
  const run = await runNode(throwError, { config: { messageTemplate: '{{data.none}}' }, payload })
  expect(run.error).toMatchObject({ code: 'config.empty' })
  expect((await runNode(throwError, { config: {} })).problems).toMatchObject([{ code: 'config.missing' }])
})

test('a note of an older file has its text among its settings', async () => {
  const run = await runNode(note, { config: { text: '# Why' }, payload })
  expect(run).toMatchObject({ output: undefined, payload, problems: [], error: undefined })
})
