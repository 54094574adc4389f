import { FlowError } from '../../engine/errors.ts'
import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { askProvider } from '../network/provider.ts'
import { Refusal } from '../services/listing.ts'

const WEBHOOKS = 'https://hooks.slack.com/services/'

export const slack = defineNode({
  type: 'slack',
  aliases: ['SlackNode'],
  group: 'output',
  title: 'Slack',
  summary: 'Posts a message to a Slack channel.',
  outputs: ['next'],
  needs: ['http'],
  config: {
    url: template({ key: 'urlPathTemplate', label: 'Webhook URL', help: 'As Slack gives it.', required: true }),
    channel: template({ key: 'channelTemplate', label: 'Channel', help: 'Blank: that of the webhook.' }),
    text: template({ key: 'textTemplate', label: 'Text', help: 'Blank: the payload as JSON.' }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: '{ success: true, sent: 1 }, or { success: false, sent: 0, error }. Without it a failure ends the run.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Tell of a pump',
      config: {
        urlPathTemplate: 'https://hooks.slack.com/services/T0/B0/secret',
        textTemplate: '{{data.name}} has stopped',
        resultPath: 'working.slack',
      },
      payload: { data: { name: 'Pump 7' } },
      output: 'next',
      result: { data: { name: 'Pump 7' }, working: { slack: { success: true, sent: 1 } } },
    },
  ],
  async run({ config, payload, use, signal }) {
    const { channel, text, result } = config
    // The address is the secret: whoever has it may post.
    const url = URL.parse(config.url.trim()) ?? URL.parse(config.url.trim(), WEBHOOKS)
    const message = {
      text: text === '' ? JSON.stringify(payload) : text,
      ...(channel.trim() === '' ? {} : { channel: channel.trim() }),
    }
    try {
      if (!url)
        throw new Refusal('Validation', 'Expected "Webhook URL" to be a URL as Slack gives it, got something else')
      await askProvider({
        ...{ name: 'Slack', http: use.http, signal, url: url.href },
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(message),
        secrets: [url.href, url.pathname],
      })
      result.write({ success: true, sent: 1 })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (!result.given) throw new FlowError('service.failed', error.message)
      result.write({ success: false, sent: 0, error: { message: error.message } })
    }
  },
})
