export interface TwilioSender {
  account: string
  token: string
  from: string
}

/** What a `twilio://ACCOUNT:TOKEN@api/?from=NUMBER` says; undefined when a part is missing. */
export function twilioOf(url: string): TwilioSender | undefined {
  const parsed = URL.parse(url)
  if (parsed?.protocol !== 'twilio:') return undefined
  // As it is written: in a query a plus would be a space.
  const from = /[?&]from=([^&]*)/.exec(parsed.search)?.[1] ?? ''
  const [account, token, number] = [parsed.username, parsed.password, from].map(decode)
  return account && token && number ? { account, token, from: number } : undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone percent sign stands for itself.
    return text
  }
}
