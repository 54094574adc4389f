import { list, path, template, values } from '../../engine/fields.ts'
import { printValue } from '../../engine/template.ts'
import { askProvider } from '../network/provider.ts'
import type { HttpClient } from '../services/http.ts'
import { Refusal } from '../services/listing.ts'

/** The settings that mail providers share. */
export const providerMailFields = {
  credential: template({
    key: 'credentialNameTemplate',
    label: 'Credential',
    help: 'Name of a stored one, in place of the API key. Empty: that key.',
  }),
  from: template({
    key: 'fromTemplate',
    label: 'From',
    help: 'Such as Support <support@example.com>.',
    required: true,
  }),
  replyTo: template({ key: 'replyToTemplate', label: 'Answers to', help: 'Empty: the sender.' }),
  subject: template({ key: 'subjectTemplate', label: 'Subject', help: 'On one line.' }),
  html: template({ key: 'bodyTemplate', label: 'Body (HTML)', help: 'What the mail says, as HTML.' }),
  to: values({ key: 'toAddresses', label: 'To', help: 'At least one; with the copies at most 1,000, each once.' }),
  cc: values({ key: 'ccAddresses', label: 'Copy to', help: 'Empty: nobody.' }),
  bcc: values({ key: 'bccAddresses', label: 'Blind copy to', help: 'Empty: nobody.' }),
  attachments: list({
    key: 'attachments',
    label: 'Attachments',
    help: 'Of a URL, or of a text in an encoding. At most 20 MB together.',
    most: 10,
    of: {
      name: template({ key: 'filenameTemplate', label: 'File name', help: 'Empty: attachment- and its number.' }),
      url: template({ key: 'urlTemplate', label: 'URL', help: 'Its answer is attached. Empty: the content below.' }),
      content: template({ key: 'contentTemplate', label: 'Content', help: 'Read when there is no URL.' }),
      encoding: template({
        key: 'encoding',
        label: 'Encoding of the content',
        help: 'utf8, base64, hex, latin1 and others; utf8 when empty.',
        default: 'utf8',
      }),
    },
  }),
  result: path({
    key: 'resultPath',
    label: 'Result',
    help: '{ success: true }, or { error: { type, message } }. Empty: it is dropped.',
    writes: true,
  }),
}

/** A mail as providers take it. */
export interface ProviderMail {
  from: string
  replyTo: string | undefined
  subject: string
  html: string
  to: string[]
  cc: string[]
  bcc: string[]
  attachments: { name: string; type: string; bytes: Uint8Array }[]
}

interface MailSettings {
  from: string
  replyTo: string
  subject: string
  html: string
  to: unknown[]
  cc: unknown[]
  bcc: unknown[]
  attachments: { name: string; url: string; content: string; encoding: string }[]
}

const MOST_ADDRESSES = 1_000
const MOST_BYTES = 20 << 20

/** The mail that settings describe, its attachments fetched. Throws Refusal for one that no provider would take. */
export async function toProviderMail(
  settings: MailSettings,
  { http, signal }: { http: HttpClient; signal: AbortSignal },
): Promise<ProviderMail> {
  const [to, cc, bcc] = recipientsOf([settings.to, settings.cc, settings.bcc])
  if (to!.length === 0) throw new Refusal('Validation', 'Expected at least one recipient in "To", got none')
  const attachments: ProviderMail['attachments'] = []
  let size = 0
  for (const [index, one] of settings.attachments.entries()) {
    const { type, bytes } = await contentOf(one, { http, signal })
    size += bytes.length
    if (size > MOST_BYTES) {
      throw new Refusal('Validation', `Expected attachments of at most ${MOST_BYTES} bytes together, got more`)
    }
    attachments.push({ name: oneLine(one.name).replaceAll('"', "'") || `attachment-${index + 1}`, type, bytes })
  }
  const replyTo = oneLine(settings.replyTo)
  return {
    from: oneLine(settings.from),
    replyTo: replyTo === '' ? undefined : replyTo,
    subject: oneLine(settings.subject),
    html: settings.html,
    ...{ to: to!, cc: cc!, bcc: bcc!, attachments },
  }
}

/** `Ada <ada@example.com>` taken apart; a bare address has no name. */
export function addressParts(text: string): { email: string; name?: string } {
  const [, name, email] = /^(.*)<([^<>]+)>\s*$/.exec(text) ?? []
  if (email === undefined) return { email: text.trim() }
  const shown = name!.trim().replace(/^"(.*)"$/, '$1')
  return { email: email.trim(), ...(shown === '' ? {} : { name: shown }) }
}

/** Each address once: providers refuse mails that name one twice. Text is split at its commas. */
function recipientsOf(lists: readonly (readonly unknown[])[]): string[][] {
  const seen = new Set<string>()
  const split = lists.map((entries) =>
    entries
      .flatMap((entry) => printValue(entry).split(','))
      .map(oneLine)
      .filter((text) => {
        const email = addressParts(text).email.toLowerCase()
        if (email === '' || seen.has(email)) return false
        seen.add(email)
        return true
      }),
  )
  if (seen.size > MOST_ADDRESSES) {
    throw new Refusal('Validation', `Expected at most ${MOST_ADDRESSES} recipients, got ${seen.size}`)
  }
  return split
}

async function contentOf(
  { url, content, encoding }: MailSettings['attachments'][number],
  { http, signal }: { http: HttpClient; signal: AbortSignal },
): Promise<{ type: string; bytes: Uint8Array }> {
  if (url.trim() === '') {
    const name = encoding.trim().toLowerCase()
    if (Buffer.isEncoding(name)) return { type: 'application/octet-stream', bytes: Buffer.from(content, name) }
    throw new Refusal('Validation', `Expected an encoding such as utf8 or base64, got "${encoding.slice(0, 50)}"`)
  }
  const answer = await askProvider({
    name: 'The URL of an attachment',
    http,
    signal,
    method: 'GET',
    url: url.trim(),
    secrets: [],
  })
  const type = answer.headers['content-type']
  return { type: (Array.isArray(type) ? type[0] : type) ?? 'application/octet-stream', bytes: answer.body }
}

// A line break would begin a header of its own.
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').trim()
}
