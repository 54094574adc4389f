import { isIPv4, isIPv6 } from 'node:net'

const MOST_CHARS = 2_000

// Short texts only: what is longer than any sound value needs no closer look.
const short = (test: (text: string) => boolean) => (text: string) => text.length <= MOST_CHARS && test(text)

const date = /^(\d{4})-(\d{2})-(\d{2})$/
const time = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(z|[+-]\d{2}(:?\d{2})?)?$/i

/** The formats that a schema may name; others ask for nothing. */
export const schemaFormats: Record<string, (text: string) => boolean> = {
  email: short(
    (text) => /^[^\s@]+@[^\s@]+$/.test(text) && text.slice(text.indexOf('@')).includes('.', 2) && !text.endsWith('.'),
  ),
  'date-time': short((text) => {
    const [day, clock, more] = text.split(/[t ]/i)
    return (
      more === undefined && isDate(day ?? '') && /(z|[+-]\d{2}(:?\d{2})?)$/i.test(clock ?? '') && time.test(clock ?? '')
    )
  }),
  date: short(isDate),
  time: short((text) => time.test(text)),
  uri: short((text) => /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]+$/i.test(text)),
  hostname: short(isHostname),
  'host-name': short(isHostname),
  ipv4: short(isIPv4),
  'ip-address': short(isIPv4),
  ipv6: short(isIPv6),
  uuid: short((text) => /^(urn:uuid:)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)),
}

function isDate(text: string): boolean {
  const match = date.exec(text)
  if (!match) return false
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function isHostname(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(part))
}
