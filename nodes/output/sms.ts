import { path, template } from '../../engine/fields.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'

export const sms = defineNode({
  type: 'sms',
  aliases: ['StructureSmsNode'],
  group: 'output',
  title: 'SMS',
  summary: 'Sends a text message to a phone number, through the account of the server.',
  outputs: ['next'],
  needs: ['sms'],
  config: {
    to: template({ key: 'phoneNumberTemplate', label: 'To', help: 'Such as +15551234567.', required: true }),
    text: template({ key: 'bodyTemplate', label: 'Text', help: '1 to 1,600 characters.' }),
    result: path({ key: 'resultPath', label: 'Result', help: '{ success: true }, or { error }.', writes: true }),
  },
  examples: [
    {
      title: 'An alert',
      config: {
        phoneNumberTemplate: '{{data.phone}}',
        bodyTemplate: '{{data.name}} has stopped',
        resultPath: 'working.sent',
      },
      payload: { data: { phone: '+15550001111', name: 'Pump 7' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const sent = use.sms.send({ to: config.to, text: config.text, signal })
    config.result.write(await orError(sent.then(() => ({ success: true }))))
  },
})
