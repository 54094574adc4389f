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
