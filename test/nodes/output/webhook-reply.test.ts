import { describe, expect, test } from 'vitest'
import type { Payload } from '../../../engine/payload.ts'
import { webhookReply } from '../../../nodes/output/webhook-reply.ts'
import { noting } from '../../helpers/fakes.ts'
import { runNode } from '../../helpers/run-node.ts'

async function send(config: Payload, payload: Payload = { data: { replyId: 'w.1' }, working: { n: { a: 1 } } }) {
  const { calls, method } = noting<[string, unknown, unknown], void>(undefined)
  const run = await runNode(webhookReply, { config, payload, use: { reply: { send: method as never } } })
  return { ...run, sent: calls.map(([replyId, reply]) => ({ replyId, reply })) }
}

test('sends a text, with its code and headers', async () => {
  const { sent, output } = await send({
    ...{ responseCodeTemplate: '{{working.n.a}}01', bodyTemplate: 'n is {{working.n.a}}', bodyTemplateType: 'string' },
    headerInfo: [
      { keyTemplate: 'X-N', valueTemplate: '{{working.n.a}}' },
      { keyTemplate: '', valueTemplate: 'x' },
    ],
  })
  expect(output).toBe('next')
  expect(sent).toEqual([
    {
      replyId: 'w.1',
      reply: { body: { kind: 'custom', body: 'n is 1' }, status: 101, headers: [['X-N', '1']], cookies: [] },
    },
  ])
})

test('sends a value of the payload, and answers the call that a path names', async () => {
  const config = { bodyTemplateType: 'path', bodyTemplate: 'working.n', replyIdPath: 'working.id' }
  const { sent } = await send(config, { working: { n: { a: 1 }, id: 'w.9' }, data: { replyId: 'w.1' } })
  expect(sent).toMatchObject([{ replyId: 'w.9', reply: { body: { body: { a: 1 } }, status: Number.NaN } }])
})

test.each([{}, { data: {} }, { data: { replyId: '' } }, { data: { replyId: 7 } }])(
  'does nothing without an id: %j',
  async (payload) => {
    const { sent, output } = await send({ bodyTemplate: 'x' }, payload)
    expect(sent).toEqual([])
    expect(output).toBe('next')
  },
)

describe('a message to a WebSocket client', () => {
  async function say(config: Payload) {
    const { calls, method } = noting<[string, { bytes: Uint8Array; binary: boolean }], void>(undefined)
    const payload = { data: { replyId: 'w.1' }, working: { client: 'w.2', n: { a: 1 } } }
    const reply = { send: () => Promise.reject(new Error('no reply is sent')), message: method }
    const run = await runNode(webhookReply, {
      config: { isWebsocketMessage: true, ...config },
      payload,
      use: { reply },
    })
    return { ...run, said: calls.map(([client, { bytes, binary }]) => [client, `${bytes}`, binary]) }
  }

  test('is a text to the client that began the run, or to one whose id was kept', async () => {
    expect((await say({ bodyTemplate: 'hi {{working.n.a}}' })).said).toEqual([['w.1', 'hi 1', false]])
    const config = { replyIdPath: 'working.client', bodyTemplateType: 'path', bodyTemplate: 'working.n' }
    expect((await say(config)).said).toEqual([['w.2', '{"a":1}', false]])
    expect((await say({ replyIdPath: 'working.nobody', bodyTemplate: 'x' })).said).toEqual([])
  })

  test('is bytes where its encoding says so', async () => {
    expect((await say({ bodyTemplate: 'aGk=', encodingTemplate: 'base64' })).said).toEqual([['w.1', 'hi', true]])
    expect((await say({ bodyTemplate: 'x', encodingTemplate: 'morse' })).error?.code).toBe('crypto.argument')
  })

  test('is refused above 256 KB', async () => {
    const config = { bodyTemplateType: 'path', bodyTemplate: 'big' }
    const payload = { data: { replyId: 'w.1' }, big: 'x'.repeat(256 * 1024 + 1) }
    const run = await runNode(webhookReply, {
      config: { isWebsocketMessage: true, ...config },
      payload,
      use: { reply: {} as never },
    })
    expect(run.error?.code).toBe('reply.too-large')
  })
})
