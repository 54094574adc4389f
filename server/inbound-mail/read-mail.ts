import type { Address, Email } from 'postal-mime'

/** A mail, taken apart. */
export interface ReadMail {
  subject: string
  /** Empty where the mail has no part of the kind. */
  html: string
  text: string
  from: MailAddress | undefined
  to: MailAddress[]
  cc: MailAddress[]
  /** Only where the mail tells. */
  bcc?: MailAddress[]
  messageId: string | undefined
  attachments: ReadAttachment[]
}

export interface MailAddress {
  name?: string
  email: string
}

export interface ReadAttachment {
  filename: string
  contentType: string
  bytes: Uint8Array
}

/** What of a parsed mail concerns a flow. */
export function toReadMail(mail: Email): ReadMail {
  const { subject = '', html = '', text = '', messageId } = mail
  return {
    ...{ subject, html, text, messageId: messageId?.trim() || undefined },
    from: addressesOf(mail.from && [mail.from])[0],
    to: addressesOf(mail.to),
    cc: addressesOf(mail.cc),
    ...(mail.bcc === undefined ? {} : { bcc: addressesOf(mail.bcc) }),
    attachments: mail.attachments.map(({ filename, mimeType, content }, index) => ({
      filename: filename || `attachment-${index + 1}`,
      contentType: mimeType || 'application/octet-stream',
      bytes: typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content),
    })),
  }
}

function addressesOf(addresses: readonly Address[] = []): MailAddress[] {
  return addresses
    .flatMap((one) => one.group ?? [one])
    .filter(({ address }) => address)
    .map(({ name, address }) => ({ ...(name ? { name } : {}), email: address }))
}
