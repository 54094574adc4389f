import { path, template, values } from '../../engine/fields.ts'
import { printValue } from '../../engine/template.ts'
import { defineNode } from '../define.ts'
import { orError } from '../refusal.ts'

export const email = defineNode({
  type: 'email',
  aliases: ['StructureEmailNode'],
  group: 'output',
  title: 'Email',
  summary: 'Sends a mail to up to five addresses.',
  outputs: ['next'],
  needs: ['mail'],
  config: {
    to: values({ key: 'toAddresses', label: 'To', help: 'At most five.' }),
    from: template({
      key: 'fromTemplate',
      label: 'Answers to',
      help: 'The address that answers go to; the sender is that of the server.',
    }),
    subject: template({ key: 'subjectTemplate', label: 'Subject', help: 'On one line.' }),
    html: template({ key: 'bodyTemplate', label: 'Body (HTML)', help: 'What the mail says, as HTML.' }),
    once: template({
      key: 'onceTemplate',
      label: 'Only once for',
      help: 'Such as {{data.id}}: of all mails of this flow with the same text here only the first is sent, as far as the last 1,000 mails of a week tell. Empty: all.',
    }),
    result: path({ key: 'resultPath', label: 'Result', help: '{ success: true }, or { error }.', writes: true }),
  },
  examples: [
    {
      title: 'A welcome',
      config: {
        toAddresses: ['{{working.user.email}}'],
        subjectTemplate: 'Welcome',
        bodyTemplate: '<p>Hello {{working.user.firstName}}</p>',
        resultPath: 'working.mail',
      },
      payload: { working: { user: { email: 'user1@example.com', firstName: 'Ada' } } },
      output: 'next',
    },
  ],
  async run({ config, use }) {
    const { from, subject, html, once } = config
    const to = config.to.map(printValue)
    const replyTo = from.trim() === '' ? {} : { from: from.trim() }
    const key = once.trim() === '' ? {} : { key: once.trim() }
    const sent = use.mail.send({ to, subject, html, ...replyTo, ...key })
    config.result.write(await orError(sent.then(() => ({ success: true }))))
  },
})
