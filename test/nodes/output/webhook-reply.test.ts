import { expect, test } from 'vitest'
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

test('says that messages to WebSocket clients are not supported', async () => {
  expect((await send({ isWebsocketMessage: true })).error?.code).toBe('reply.unsupported')
})
