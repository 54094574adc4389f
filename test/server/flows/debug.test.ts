import { expect, test } from 'vitest'
import type { VisitPlace } from '../../../engine/node.ts'
import { type DebugMessage, openDebugStream, redact } from '../../../server/flows/debug.ts'

const node: VisitPlace = { id: 'n1', type: 'DebugNode', label: 'Look', trail: () => [] }
const run = {
  runId: 'r',
  scope: { tenant: 't', application: 'a' },
  flowId: 'f',
  flowName: 'Flow',
  flowVersion: 'develop',
}

test('a message is a snapshot: later changes do not show', () => {
  const stream = openDebugStream(() => 5)
  const heard: DebugMessage[] = []
  const stop = stream.listen((message) => heard.push(message))
  const value = { list: [1] }
  stream.forRun(run).write({ node, level: 'info', message: 'here', value })
  value.list.push(2)
  stop()
  stream.forRun(run).write({ node, level: 'info', message: 'unheard', value })
  expect(heard).toEqual([
    { ...run, time: 5, nodeId: 'n1', level: 'info', message: 'here', value: { list: [1] }, path: [] },
  ])
})

test('secrets are masked in the message, not in the run', () => {
  const stream = openDebugStream(() => 0)
  const heard: DebugMessage[] = []
  stream.listen((message) => heard.push(message))
  const value = {
    data: {
      headers: { Authorization: 'Bearer x', accept: '*/*' },
      body: { password: 'p', newPassword: 'q', apiKey: 'k' },
    },
  }
  stream.forRun(run).write({ node, level: 'info', message: '', value })
  const masked = '*****REDACTED*****'
  expect(heard[0]?.value).toEqual({
    data: {
      headers: { Authorization: masked, accept: '*/*' },
      body: { password: masked, newPassword: masked, apiKey: masked },
    },
  })
  expect(value.data.body.password).toBe('p')
})

test('a value that is too large is left out', () => {
  const stream = openDebugStream(() => 0)
  const heard: DebugMessage[] = []
  stream.listen((message) => heard.push(message))
  stream.forRun(run).write({ node, level: 'info', message: '', value: 'x'.repeat(300_000) })
  expect(heard[0]?.value).toBe('Value omitted due to size')
})

test('dates and nested lists survive redaction', () => {
  const date = new Date(0)
  expect(redact({ a: [{ token: 't', at: date }] })).toEqual({ a: [{ token: '*****REDACTED*****', at: date }] })
})

/** What a listener hears of a value. */
function heard(value: unknown, path?: string): unknown {
  const stream = openDebugStream(() => 0)
  const values: unknown[] = []
  stream.listen((message) => values.push(message.value))
  stream.forRun(run).write({ node, level: 'info', message: '', value, path })
  return values[0]
}

const MASK = '*****REDACTED*****'

test.each([
  ['globals', { 'tl-jwt-secret': 's', limit: 3 }, { 'tl-jwt-secret': MASK, limit: 3 }],
  ['keys of many spellings', { api_key: 'a', accessKey: 'b', JWT: 'c' }, { api_key: MASK, accessKey: MASK, JWT: MASK }],
  ['lists of secrets', { tokens: ['a', 'b'], 'set-cookie': ['c'] }, { tokens: [MASK, MASK], 'set-cookie': [MASK] }],
  [
    'what is below a secret',
    { credentials: { user: 'ada', password: 'p' } },
    { credentials: { user: 'ada', password: MASK } },
  ],
  [
    'times that are no secrets',
    { passwordLastUpdated: '2026', tokenCutoff: 5 },
    { passwordLastUpdated: '2026', tokenCutoff: 5 },
  ],
  ['an absent token', { token: null, password: undefined }, { token: null, password: undefined }],
])('masks %s', (_, value, expected) => {
  expect(heard(value)).toEqual(expected)
})

test('a single value is masked by the key that it stands under', () => {
  expect(heard('Bearer x', 'data.headers.authorization')).toBe(MASK)
  expect(heard('Bearer x', 'data.greeting')).toBe('Bearer x')
})

test('a value that cannot be copied is left out, and the run goes on', () => {
  let deep: unknown = 1
  for (let level = 0; level < 2_000; level++) deep = [deep]
  expect(heard(deep)).toMatch(/^Value omitted/)
  const loop: { self?: unknown } = {}
  loop.self = loop
  expect(heard(loop)).toMatch(/^Value omitted/)
})
