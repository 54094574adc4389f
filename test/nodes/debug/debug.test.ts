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

test('a note changes nothing and leads nowhere', async () => {
  const run = await runNode(note, { meta: { annotationText: '# Why' }, payload })
  expect(run).toMatchObject({ output: undefined, payload, problems: [], error: undefined })
})

test('throw-error fails with its message', async () => {
  const run = await runNode(throwError, { config: { messageTemplate: 'No {{data.name}}' }, payload })
  expect(run.error).toMatchObject({ code: 'error.thrown', message: 'No pump', name: 'ThrowErrorNodeError' })
})

test('throw-error without a message says so', async () => {
  const run = await runNode(throwError, { config: { messageTemplate: '{{data.none}}' }, payload })
  expect(run.error).toMatchObject({ code: 'config.empty' })
})
