import { FlowError } from '../../engine/errors.ts'
import { bodyTemplate, byType, flag, lazy, list, path, read, template } from '../../engine/fields.ts'
import { readPath } from '../../engine/payload.ts'
import { defineNode } from '../define.ts'

export const webhookReply = defineNode({
  type: 'webhook-reply',
  aliases: ['WebhookReplyNode'],
  group: 'output',
  title: 'Webhook Reply',
  summary: 'Answers the call of a webhook that waits for it; the first answer wins.',
  outputs: ['next'],
  needs: ['reply'],
  config: {
    replyId: path({ key: 'replyIdPath', label: 'Reply id path', help: 'Empty: data.replyId.' }),
    status: template({ key: 'responseCodeTemplate', label: 'Response code' }),
    body: lazy(
      byType({
        key: 'bodyTemplate',
        label: 'Body',
        typeKey: 'bodyTemplateType',
        default: 'string',
        kinds: { string: bodyTemplate(), path: read() },
      }),
    ),
    headers: list({
      key: 'headerInfo',
      label: 'Headers',
      of: {
        name: template({ key: 'keyTemplate', label: 'Name' }),
        value: template({ key: 'valueTemplate', label: 'Value' }),
      },
    }),
    websocket: flag({ key: 'isWebsocketMessage', label: 'Message to a WebSocket' }),
  },
  examples: [
    {
      title: 'A value as JSON',
      config: { responseCodeTemplate: '201', bodyTemplateType: 'path', bodyTemplate: 'working.order' },
      payload: { data: { replyId: 'w.1' }, working: { order: { id: 7 } } },
      output: 'next',
    },
  ],
  async run({ config, payload, use }) {
    if (config.websocket) {
      const message = 'Expected a reply over HTTP; messages to WebSocket clients of a webhook are not supported'
      throw new FlowError('reply.unsupported', message)
    }
    const replyId = config.replyId.given ? config.replyId.read() : readPath(payload, ['data', 'replyId'])
    if (typeof replyId !== 'string' || replyId === '') return
    const status = Number(config.status.trim() || Number.NaN)
    const headers = config.headers.flatMap(({ name, value }): [string, string][] =>
      name.trim() === '' ? [] : [[name.trim(), value]],
    )
    const reply = { body: { kind: 'custom', body: config.body() } as const, status, headers, cookies: [] }
    await use.reply.send(replyId, reply, { payload })
  },
})
