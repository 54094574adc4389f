import { choiceTemplate, template } from '../../engine/fields.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { askProvider, basic, bodyOf, needed } from '../network/provider.ts'
import { orError } from '../refusal.ts'
import { addressParts, type ProviderMail, providerMailFields, toProviderMail } from './provider-mail.ts'

const servers = { us: 'https://api.mailgun.net', eu: 'https://api.eu.mailgun.net' }

export const mailgun = defineNode({
  type: 'mailgun',
  aliases: ['MailgunNode'],
  group: 'output',
  title: 'Mailgun: Email',
  summary: 'Sends a mail through an account at Mailgun, for the domain of its sender.',
  outputs: ['next'],
  needs: ['http', 'credentials'],
  config: {
    key: template({ key: 'mailgunApiKey', label: 'API key', help: 'Needed where no credential is named.' }),
    region: choiceTemplate({
      key: 'mailgunRegion',
      label: 'Region',
      help: 'us or eu; us when empty.',
      of: ['us', 'eu'],
    }),
    ...providerMailFields,
  },
  examples: [
    {
      title: 'A report',
      config: {
        mailgunApiKey: '{{globals.mailgunKey}}',
        mailgunRegion: 'eu',
        fromTemplate: 'Reports <reports@example.com>',
        toAddresses: ['{{data.email}}'],
        subjectTemplate: 'Your report',
        bodyTemplate: '<p>All is well.</p>',
        resultPath: 'working.mail',
      },
      payload: { globals: { mailgunKey: 'key-example' }, data: { email: 'user1@example.com' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'mailgun' })
    const key = stored?.apiKey ?? needed('API key', config.key)
    const send = async () => {
      const mail = await toProviderMail(config, { http: use.http, signal })
      const domain = addressParts(mail.from).email.split('@').at(-1)!
      const form = new Response(toForm(mail))
      const answer = await askProvider({
        ...{ name: 'Mailgun', http: use.http, signal, secrets: [key] },
        url: `${servers[config.region]}/v3/${encodeURIComponent(domain.toWellFormed())}/messages`,
        headers: { authorization: basic('api', key), 'content-type': form.headers.get('content-type')! },
        body: await form.bytes(),
      })
      const said = bodyOf(answer)
      const id = said !== null && typeof said === 'object' ? (said as { id?: unknown }).id : undefined
      return { success: true, ...(typeof id === 'string' ? { id } : {}) }
    }
    config.result.write(await orError(send))
  },
})

function toForm({ from, replyTo, subject, html, to, cc, bcc, attachments }: ProviderMail): FormData {
  const form = new FormData()
  form.append('from', from)
  for (const one of to) form.append('to', one)
  for (const one of cc) form.append('cc', one)
  for (const one of bcc) form.append('bcc', one)
  if (replyTo !== undefined) form.append('h:Reply-To', replyTo)
  form.append('subject', subject)
  form.append('html', html)
  for (const { name, type, bytes } of attachments) {
    form.append('attachment', new Blob([bytes as Uint8Array<ArrayBuffer>], { type }), name)
  }
  return form
}
