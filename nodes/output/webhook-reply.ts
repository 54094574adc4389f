import { FlowError } from '../../engine/errors.ts'
import { bodyTemplate, byType, flag, lazy, list, path, read, template } from '../../engine/fields.ts'
import { readPath } from '../../engine/payload.ts'
import { defineNode } from '../define.ts'
import { encodingOf } from '../logic/encodings.ts'
import type { ClientMessage } from '../services/reply.ts'

export const webhookReply = defineNode({
  type: 'webhook-reply',
  aliases: ['WebhookReplyNode'],
  group: 'output',
  title: 'Webhook Reply',
  summary:
    'Answers the call of a webhook that waits for it (the first answer wins), or sends a message to a WebSocket client of one.',
  outputs: ['next'],
  needs: ['reply'],
  config: {
    replyId: path({ key: 'replyIdPath', label: 'Reply id path', help: 'Empty: data.replyId.' }),
    status: template({ key: 'responseCodeTemplate', label: 'Response code', help: '200 to 599; otherwise 200.' }),
    body: lazy(
      byType({
        key: 'bodyTemplate',
        label: 'Body',
        help: 'What is answered: a template of text, or the value at a path.',
        typeKey: 'bodyTemplateType',
        default: 'string',
        kinds: { string: bodyTemplate(), path: read() },
      }),
    ),
    headers: list({
      key: 'headerInfo',
      label: 'Headers',
      help: 'Of the answer; a name that is empty is left out.',
      of: {
        name: template({ key: 'keyTemplate', label: 'Name', help: 'Such as Content-Type.' }),
        value: template({ key: 'valueTemplate', label: 'Value', help: 'Without line breaks.' }),
      },
    }),
    websocket: flag({
      key: 'isWebsocketMessage',
      label: 'Message to a WebSocket',
      help: 'Sends to a client that is connected to a webhook, as often as wanted, by the reply id of its connection.',
    }),
    encoding: template({
      key: 'encodingTemplate',
      label: 'Encoding of the message',
      help: 'utf8 (sent as text), or what bytes to send are written in: base64, hex, latin1.',
    }),
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
    const replyId = config.replyId.given ? config.replyId.read() : readPath(payload, ['data', 'replyId'])
    if (typeof replyId !== 'string' || replyId === '') return
    if (config.websocket) {
      await use.reply.message(replyId, clientMessage(config.body(), config.encoding))
      return
    }
    const status = Number(config.status.trim() || Number.NaN)
    const headers = config.headers.flatMap(({ name, value }): [string, string][] =>
      name.trim() === '' ? [] : [[name.trim(), value]],
    )
    const reply = { body: { kind: 'custom', body: config.body() } as const, status, headers, cookies: [] }
    await use.reply.send(replyId, reply, { payload })
  },
})

const MOST_BYTES = 256 * 1024

function clientMessage(body: unknown, encodingText: string): ClientMessage {
  const encoding = encodingOf(encodingText, 'utf8')
  const text = typeof body === 'object' && body !== null ? JSON.stringify(body) : String(body ?? '')
  const bytes = Buffer.from(text, encoding)
  if (bytes.length > MOST_BYTES) {
    const message = `Expected a message of at most ${MOST_BYTES} bytes, got ${bytes.length}. Send less.`
    throw new FlowError('reply.too-large', message)
  }
  return { bytes, binary: encoding !== 'utf8' }
}
