import { FlowError } from '../../engine/errors.ts'
import { choice, path, template, values } from '../../engine/fields.ts'
import { printValue } from '../../engine/template.ts'
import { credentialOf } from '../credential.ts'
import { defineNode } from '../define.ts'
import { askProvider, basic, needed } from '../network/provider.ts'
import type { CredentialSettings } from '../services/credentials.ts'
import type { HttpClient } from '../services/http.ts'
import { Refusal } from '../services/listing.ts'

const MOST_NUMBERS = 100

export const twilio = defineNode({
  type: 'twilio',
  aliases: ['TwilioSmsNode'],
  group: 'output',
  title: 'Twilio: SMS',
  summary: 'Sends a text message to phone numbers through an account at Twilio.',
  outputs: ['next'],
  needs: ['http', 'credentials'],
  config: {
    authMethod: choice({
      key: 'authMethod',
      label: 'Authentication',
      help: 'token: by the token of the account. apiKey: by the name (SID) and secret of an API key.',
      from: 'meta',
      of: ['', 'token', 'apiKey'],
    }),
    credential: template({
      key: 'credentialNameTemplate',
      label: 'Credential',
      help: 'Name of a stored one, in place of the account and its token. Empty: those below.',
    }),
    account: template({ key: 'accountSid', label: 'Account SID', help: 'Needed where no credential is named.' }),
    user: template({
      key: 'username',
      label: 'API key SID',
      help: 'Of an API key; empty: the token is that of the account.',
    }),
    token: template({
      key: 'authToken',
      label: 'Token, or secret of the API key',
      help: 'Needed where no credential is named.',
    }),
    from: template({
      key: 'fromNumber',
      label: 'From',
      help: 'A number of the account, such as +15551234567; not needed with a messaging service.',
    }),
    service: template({ key: 'messagingServiceSid', label: 'Messaging service SID', help: 'In place of a number.' }),
    to: values({ key: 'toNumbers', label: 'To', help: `At most ${MOST_NUMBERS}, each like +15551234567.` }),
    body: template({ key: 'bodyTemplate', label: 'Text', help: 'What the message says.' }),
    media: template({ key: 'mediaUrl', label: 'URL of a picture', help: 'Sent with the text. Empty: none.' }),
    maxPrice: template({ key: 'maxPrice', label: 'Highest price', help: 'In US dollars, of one message.' }),
    results: path({
      key: 'resultsPath',
      label: 'Results',
      help: 'For each number, in their order: { success: true }, or { error: true, message }.',
      writes: true,
    }),
  },
  examples: [
    {
      title: 'Tell two people',
      config: {
        accountSid: 'AC0',
        authToken: '{{globals.twilioToken}}',
        fromNumber: '+15550001111',
        toNumbers: ['{{data.phone}}', '+15550002222'],
        bodyTemplate: 'Pump 7 has stopped',
        resultsPath: 'working.sent',
      },
      payload: { globals: { twilioToken: 'example' }, data: { phone: '+15550003333' } },
      output: 'next',
    },
  ],
  async run({ config, use, signal }) {
    const stored = await credentialOf(use.credentials, { name: config.credential, type: 'twilio' })
    const numbers = config.to.map((one) => printValue(one).trim()).filter((one) => one !== '')
    if (numbers.length > MOST_NUMBERS) {
      throw new FlowError('config.type', `Expected at most ${MOST_NUMBERS} numbers in "To", got ${numbers.length}`)
    }
    const account = stored ? storedAccount(stored) : accountOf(config)
    const message = messageOf(config)
    const sender = { http: use.http, signal, ...account }
    const results: object[] = []
    // One after another: Twilio counts how many an account sends at a time.
    for (const To of numbers) results.push(await resultOf(sendByTwilio(sender, { To, ...message })))
    config.results.write(results)
  },
})

type Account = Pick<TwilioAccount, 'account' | 'user' | 'token'>

function storedAccount({ accountSid, apiKeySid, apiKeySecret }: CredentialSettings['twilio']): Account {
  return { account: accountSid, user: apiKeySid, token: apiKeySecret }
}

function accountOf(config: { authMethod: string; account: string; user: string; token: string }): Account {
  const account = needed('Account SID', config.account)
  const token = needed('Token, or secret of the API key', config.token)
  const byKey = config.authMethod === 'apiKey' || (config.authMethod === '' && config.user.trim() !== '')
  return { account, token, user: byKey ? needed('API key SID', config.user) : account }
}

interface Settings {
  from: string
  service: string
  body: string
  media: string
  maxPrice: string
}

function messageOf({ from, service, body, media, maxPrice }: Settings): Record<string, string> {
  const given = {
    ...(service.trim() === '' ? { From: needed('From', from) } : { MessagingServiceSid: service.trim() }),
    ...{ Body: body, MediaUrl: media.trim(), MaxPrice: maxPrice.trim() },
  }
  return Object.fromEntries(Object.entries(given).filter(([, text]) => text !== ''))
}

/** Who sends through Twilio: an account by its token, or (`user`) by an API key of it. */
export interface TwilioAccount {
  http: HttpClient
  signal: AbortSignal
  account: string
  user: string
  token: string
}

/** Sends one message, in the words of the API of Twilio. Throws Refusal. */
export async function sendByTwilio(
  { http, signal, account, user, token }: TwilioAccount,
  message: Record<string, string>,
): Promise<void> {
  await askProvider({
    ...{ name: 'Twilio', http, signal, secrets: [token] },
    url: `https://api.twilio.com/2010-04-01/Accounts/${encodeURIComponent(account.toWellFormed())}/Messages.json`,
    headers: { authorization: basic(user, token), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(message).toString(),
  })
}

async function resultOf(sending: Promise<void>): Promise<object> {
  try {
    await sending
    return { success: true }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { error: true, message: error.message }
  }
}
