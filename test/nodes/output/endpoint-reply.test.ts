import { expect, test } from 'vitest'
import { endpointReply } from '../../../nodes/output/endpoint-reply.ts'
import type { Reply } from '../../../nodes/services/reply.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

async function reply(config: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const payload = { data: { replyId: 'e.1' }, ...more }
  const send = noting<[string, Reply, unknown], void>(undefined as undefined)
  const outcome = await runNode(endpointReply, { config, payload, use: { reply: { send: send.method } } })
  const [id, sent] = send.calls[0] ?? []
  return { ...outcome, id, sent, count: send.calls.length }
}

const list = { working: { list: [{ a: '"quoted"' }] } }

test.each([
  ['text', { bodyTemplate: 'Hello {{name}}' }, 'Hello <'.replace('<', '&lt;')],
  ['an object in a lone mustache, as JSON', { bodyTemplate: '{{working.list}}' }, '[{"a":"\\"quoted\\""}]'],
  ['a path', { bodyTemplateType: 'path', bodyTemplate: 'working.list' }, list.working.list],
  ['a JSON template', { bodyTemplateType: 'json', bodyTemplate: '{"n": {{length working.list}} }' }, { n: 1 }],
  ['nothing', { bodyTemplateType: 'none' }, undefined],
])('replies with %s', async (_, config, body) => {
  const { sent, id, output } = await reply(config, { ...list, name: '<' })
  expect(sent?.body).toEqual({ kind: 'custom', body })
  expect({ id, output }).toEqual({ id: 'e.1', output: 'next' })
})

test('replies with the whole payload', async () => {
  expect((await reply({ bodyTemplateType: 'payload' }, list)).sent?.body).toEqual({
    kind: 'custom',
    body: { data: { replyId: 'e.1' }, ...list },
  })
})

test('replies with a page and its data', async () => {
  const config = {
    replyType: 'page',
    pageIdTemplate: ' p1 ',
    layoutIdTemplate: '',
    bodyTemplateType: 'path',
    bodyTemplate: 'working',
  }
  expect((await reply(config, list)).sent?.body).toEqual({ kind: 'page', pageId: 'p1', data: list.working })
})

test('replies with a redirect', async () => {
  const config = { replyType: 'redirect', bodyTemplate: '{{defaultTo data.query.to "/"}}' }
  expect((await reply(config)).sent).toMatchObject({ body: { kind: 'redirect', location: '/' }, status: undefined })
})

test.each([
  ['201', 201],
  ['', undefined],
  ['abc', undefined],
  ['99', undefined],
  ['600', undefined],
  ['{{#if data.replyId}}404{{/if}}', 404],
])('a response code of "%s" is %s', async (responseCodeTemplate, status) => {
  expect((await reply({ responseCodeTemplate })).sent?.status).toBe(status)
})

test('headers and cookies: a cookie without a value key is removed', async () => {
  const { sent } = await reply({
    headerInfo: [
      { keyTemplate: 'content-type', valueTemplate: 'text/css' },
      { keyTemplate: '', valueTemplate: 'x' },
    ],
    cookieInfo: [
      { nameTemplate: 'authorization', valueTemplate: '{{data.replyId}}', maxAgeTemplate: '5000' },
      { nameTemplate: 'old', pathTemplate: '/x' },
      { nameTemplate: '', valueTemplate: 'y' },
    ],
    sameSiteTemplate: 'Strict',
  })
  expect(sent).toMatchObject({
    headers: [['content-type', 'text/css']],
    cookies: [
      { name: 'authorization', value: 'e.1', maxAgeMs: 5000 },
      { name: 'old', path: '/x' },
    ],
    sameSite: 'strict',
  })
  expect(sent?.cookies[1]).not.toHaveProperty('value')
})

test('without a reply id it does nothing and goes on', async () => {
  expect(await reply({ replyIdPath: 'working.id' })).toMatchObject({ count: 0, output: 'next', error: undefined })
  expect(await reply({ bodyTemplateType: 'json', bodyTemplate: 'not json' }, { data: {} })).toMatchObject({
    count: 0,
    error: undefined,
  })
})

test('in an error handler an empty path means the request of the run that failed', async () => {
  const { id } = await reply({}, { data: { erroredPayload: { data: { replyId: 'e.9' } } } })
  expect(id).toBe('e.9')
})

test('a body that is not JSON fails the run, and nothing is sent', async () => {
  const { error, count } = await reply({ bodyTemplateType: 'json', bodyTemplate: '{' })
  expect(error).toMatchObject({ code: 'template.not-json' })
  expect(count).toBe(0)
})

test('a stream is refused by name', async () => {
  expect((await reply({ replyType: 'mqtt' })).error).toMatchObject({ code: 'reply.unsupported' })
})
