import { template } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { askProvider, needed } from '../network/provider.ts'
import { orError } from '../refusal.ts'
import { addressParts, type ProviderMail, providerMailFields, toProviderMail } from './provider-mail.ts'

export const sendgrid = defineNode({
  type: 'sendgrid',
  aliases: ['SendgridEmailNode'],
  group: 'output',
  title: 'SendGrid: Email',
  summary: 'Sends a mail through an account at SendGrid.',
  outputs: ['next'],
  needs: ['http', 'credentials'],
  config: {
    key: template({ key: 'sendgridApiKey', label: 'API key', help: 'Needed where no credential is named.' }),
    ...providerMailFields,
  },
  examples: [
    {
      title: 'A report',
      config: {
        sendgridApiKey: '{{globals.sendgridKey}}',
        fromTemplate: 'Reports <reports@example.com>',
        toAddresses: ['{{data.email}}'],
        subjectTemplate: 'Your report',
        bodyTemplate: '<p>All is well.</p>',
        resultPath: 'working.mail',
      },
      payload: { globals: { sendgridKey: 'SG.example' }, data: { email: 'user1@example.com' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'sendgrid' })
    const key = stored?.apiKey ?? needed('API key', config.key)
    const send = async () => {
      const mail = await toProviderMail(config, { http: use.http, signal })
      await askProvider({
        ...{ name: 'SendGrid', http: use.http, signal, secrets: [key] },
        url: 'https://api.sendgrid.com/v3/mail/send',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(toSendgrid(mail)),
      })
      return { success: true }
    }
    config.result.write(await orError(send))
  },
})

function toSendgrid({ from, replyTo, subject, html, to, cc, bcc, attachments }: ProviderMail) {
  const named = (name: string, addresses: string[]) =>
    addresses.length === 0 ? {} : { [name]: addresses.map(addressParts) }
  return {
    personalizations: [{ to: to.map(addressParts), ...named('cc', cc), ...named('bcc', bcc) }],
    from: addressParts(from),
    ...(replyTo === undefined ? {} : { reply_to: addressParts(replyTo) }),
    subject,
    content: [{ type: 'text/html', value: html }],
    ...(attachments.length === 0
      ? {}
      : {
          attachments: attachments.map(({ name, type, bytes }) => ({
            content: Buffer.from(bytes).toString('base64'),
            ...{ filename: name, type, disposition: 'attachment' },
          })),
        }),
  }
}
