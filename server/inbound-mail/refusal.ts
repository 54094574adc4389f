/** An answer to the sender. 4xx: it keeps the mail and tries again; 5xx: it tells the author, and never tries again. */
export class MailRefusal extends Error {
  readonly responseCode: 421 | 450 | 451 | 452 | 550 | 552 | 554
  constructor(responseCode: MailRefusal['responseCode'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MailRefusal'
    this.responseCode = responseCode
  }
}

/** One answer for what is no address here, for an unknown application and for one that does not listen. */
export function unknownRecipient(): MailRefusal {
  return new MailRefusal(550, 'No such address here')
}
