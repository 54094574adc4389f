import { beforeEach, describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import type { View } from '../../../server/experience/views.ts'
import { openRunning, type Running } from './running.ts'

let run: Running
beforeEach(async () => {
  run = await openRunning()
})

describe('Email', () => {
  const EMAIL = 'StructureEmailNode'
  const mail = { subjectTemplate: 'Hi {{name}}', bodyTemplate: '<p>{{name}}</p>' }

  test('puts a mail into the outbox; addresses come from templates, with commas, without blanks', async () => {
    const config = {
      ...mail,
      toAddresses: ['{{to}}', 'c@example.com, d@example.com', '{{nothing}}', ''],
      fromTemplate: 'noreply@{{data.headers.host}}',
    }
    const payload = { to: ['a@example.com', 'b@example.com'], name: 'A&B', data: { headers: { host: 'shop.example' } } }
    expect(await run.result(EMAIL, config, payload)).toEqual({ success: true })
    const [text, ...more] = await run.mails()
    expect(more).toEqual([])
    expect(text).toMatch(/^To: a@example.com, b@example.com, c@example.com,\s+d@example.com$/m)
    expect(text).toMatch(/^From: noreply@example.com$/m)
    expect(text).toMatch(/^Reply-To: noreply@shop.example$/m)
    expect(text).toContain('<p>A&amp;B</p>')
    expect(text).toMatch(/^Content-Type: text\/html/m)
  })

  test.each<[string, unknown]>([
    ['nobody', []],
    ['only blanks', ['{{nothing}}']],
    ['six', ['a@x.y,b@x.y,c@x.y,d@x.y,e@x.y,f@x.y']],
    ['no address', ['somebody']],
  ])('refuses mail to %s, in silence without a result path', async (_, toAddresses) => {
    const config = { ...mail, toAddresses }
    expect(await run.result(EMAIL, config)).toEqual({ error: { type: 'Validation', message: expect.any(String) } })
    expect(await run.visit(EMAIL, config)).toMatchObject({ status: 'done', output: 0, payload: {} })
    expect(await run.mails()).toEqual([])
  })

  test('takes ten mails at once, then tells that it is too many', async () => {
    const config = { ...mail, toAddresses: ['a@x.y'] }
    for (let i = 0; i < 10; i++) expect(await run.result(EMAIL, config)).toEqual({ success: true })
    expect(await run.result(EMAIL, config)).toMatchObject({ error: { type: 'RateLimit' } })
    expect(await run.mails()).toHaveLength(10)
  })
})

describe('Endpoint Reply', () => {
  const REPLY = 'EndpointReplyNode'
  const views: View[] = [
    { id: 'p1', name: 'Home', viewType: 'page', body: '<b>{{pageData.name}}</b>', layoutId: 'l1' },
    { id: 'p2', name: 'Style', viewType: 'page', body: 'a{}', headers: { 'Content-Type': 'text/css' } },
    { id: 'l1', name: 'Layout', viewType: 'layout', body: '<main>{{page}}</main>' },
    { id: 'l2', name: 'Bare', viewType: 'layout', body: '[{{page}}]' },
  ]

  async function reply(config: Payload, payload: Payload = {}) {
    const answer = run.request('e1', views)
    const given = { data: { replyId: 'e1' }, ...payload }
    const outcome = await run.visit(REPLY, config, given)
    expect(outcome.payload).toEqual(given)
    if (outcome.error) throw outcome.error.cause
    return await answer
  }

  test.each<[string, Payload, Payload]>([
    ['blank', { replyType: 'custom', bodyTemplate: 'hi' }, { status: 200, body: 'hi' }],
    [
      'a status',
      { responseCodeTemplate: '{{#if x}}200{{else}}404{{/if}}', bodyTemplate: '' },
      { status: 404, body: '' },
    ],
    ['an odd status', { responseCodeTemplate: '999', bodyTemplate: '' }, { status: 200 }],
    [
      'text',
      { bodyTemplate: 'Hi {{name}}' },
      { body: 'Hi A&amp;B', headers: { 'content-type': 'text/html; charset=utf-8' } },
    ],
    ['an object in text', { bodyTemplate: '{{list}}' }, { body: '[{"a":"A&B"}]' }],
    [
      'a path',
      { bodyTemplateType: 'path', bodyTemplate: 'list' },
      { body: '[{"a":"A&B"}]', headers: { 'content-type': 'application/json' } },
    ],
    ['a path with text', { bodyTemplateType: 'path', bodyTemplate: 'name' }, { body: 'A&B' }],
    ['a path without anything', { bodyTemplateType: 'path', bodyTemplate: 'nothing' }, { body: '' }],
    ['JSON', { bodyTemplateType: 'json', bodyTemplate: '{"n":"{{n}}"}' }, { body: '{"n":"1"}' }],
    ['none', { bodyTemplateType: 'none' }, { body: '', status: 200 }],
    [
      'a redirect',
      { replyType: 'redirect', bodyTemplate: '/x?error=Missing or invalid.' },
      { status: 302, headers: { location: '/x?error=Missing%20or%20invalid.' } },
    ],
    [
      'a lasting redirect',
      { replyType: 'redirect', responseCodeTemplate: '301', bodyTemplate: '?a=1' },
      { status: 301, headers: { location: '?a=1' } },
    ],
    [
      'a redirect by path',
      { replyType: 'redirect', bodyTemplateType: 'path', bodyTemplate: 'url' },
      { headers: { location: '/a%20b' } },
    ],
    [
      'a page',
      { replyType: 'page', pageIdTemplate: '{{page}}', bodyTemplateType: 'path', bodyTemplate: 'data2' },
      { status: 200, body: '<main><b>N</b></main>', headers: { 'content-type': 'text/html; charset=utf-8' } },
    ],
    [
      'a page in another layout',
      {
        replyType: 'page',
        pageIdTemplate: 'p1',
        layoutIdTemplate: 'l2',
        bodyTemplateType: 'json',
        bodyTemplate: '{"name":"J"}',
      },
      { body: '[<b>J</b>]' },
    ],
    [
      'a page without data',
      { replyType: 'page', pageIdTemplate: 'p1', bodyTemplateType: 'none', responseCodeTemplate: '401' },
      { status: 401, body: '<main><b></b></main>' },
    ],
    [
      'a page that is a style sheet',
      { replyType: 'page', pageIdTemplate: 'p2', bodyTemplateType: 'none' },
      { headers: { 'content-type': 'text/css' } },
    ],
    [
      'headers',
      {
        bodyTemplate: 'x',
        headerInfo: [
          { keyTemplate: 'Content-Type', valueTemplate: 'text/{{kind}}' },
          { keyTemplate: '', valueTemplate: 'x' },
        ],
      },
      { headers: { 'content-type': 'text/csv' } },
    ],
  ])('with %s', async (_, config, expected) => {
    const payload = {
      name: 'A&B',
      n: 1,
      list: [{ a: 'A&B' }],
      url: '/a b',
      page: 'p1',
      data2: { name: 'N' },
      kind: 'csv',
    }
    expect(await reply({ ...config }, payload)).toMatchObject(expected)
  })

  test('sends the whole payload', async () => {
    const answer = await reply({ bodyTemplateType: 'payload' }, { a: 1 })
    expect(JSON.parse(answer!.body)).toEqual({ data: { replyId: 'e1' }, a: 1 })
  })

  test('sets and removes cookies', async () => {
    const cookieInfo = [
      { nameTemplate: 'authorization', valueTemplate: '{{token}}', maxAgeTemplate: '60000' },
      { nameTemplate: 'old', pathTemplate: '/a' },
      { nameTemplate: 'empty', valueTemplate: '' },
      { nameTemplate: '', valueTemplate: 'x' },
    ]
    const answer = await reply({ bodyTemplate: '', cookieInfo, sameSiteTemplate: 'Strict' }, { token: 't' })
    const cookies = answer?.headers['set-cookie'] as string[]
    expect(cookies).toHaveLength(3)
    expect(cookies[0]).toMatch(/^authorization=t; Max-Age=60; Path=\/;.* ?HttpOnly; SameSite=Strict$/)
    expect(cookies[1]).toMatch(/^old=;.*(Max-Age=0|Expires=Thu, 01 Jan 1970)/)
    expect(cookies[1]).toContain('Path=/a')
    expect(cookies[2]).toMatch(/^empty=; Path=\/; SameSite=Strict$/)
  })

  test('answers at the path that is given, of a failed run, or nobody', async () => {
    const config = { bodyTemplate: 'x' }
    const first = run.request('e2')
    await run.visit(REPLY, { ...config, replyIdPath: 'working.id' }, { working: { id: 'e2' } })
    expect((await first)?.body).toBe('x')
    const second = run.request('e3')
    await run.visit(REPLY, config, { data: { erroredPayload: { data: { replyId: 'e3' } } } })
    expect((await second)?.body).toBe('x')
    for (const payload of [{}, { data: { replyId: 'gone' } }, { data: { replyId: 7 } }]) {
      expect(await run.visit(REPLY, config, payload)).toMatchObject({ status: 'done', output: 0, payload })
    }
    expect(await run.visit(REPLY, { ...config, replyIdPath: 'x' }, { data: { replyId: 'e1' } })).toMatchObject({
      status: 'done',
    })
  })

  test('fails the run and keeps the request open when it cannot be rendered', async () => {
    const answer = run.request('e1', views)
    const payload = { data: { replyId: 'e1' } }
    const broken = { bodyTemplateType: 'json', bodyTemplate: '{"a":' }
    expect((await run.visit(REPLY, broken, payload)).code).toBe('template.not-json')
    expect((await run.visit(REPLY, { replyType: 'page', pageIdTemplate: 'p9' }, payload)).code).toBe('view.missing')
    await run.visit(REPLY, { bodyTemplate: 'sorry', responseCodeTemplate: '500' }, payload)
    expect(await answer).toMatchObject({ status: 500, body: 'sorry' })
  })

  test('the first reply wins', async () => {
    const answer = run.request('e1')
    const payload = { data: { replyId: 'e1' } }
    await run.visit(REPLY, { bodyTemplate: 'one' }, payload)
    expect(await run.visit(REPLY, { bodyTemplate: 'two' }, payload)).toMatchObject({ status: 'done' })
    expect((await answer)?.body).toBe('one')
  })
})
