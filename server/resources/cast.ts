import type { AttributeDefinition } from '../store/documents.ts'
import type { StateValue } from '../store/port.ts'

export const mostStringBytes = 65_536
export const mostBlobBytes = 262_144

/** The value as an attribute of that type keeps it; undefined when it cannot be one. */
export function castState(value: unknown, type: AttributeDefinition['dataType']): StateValue | undefined {
  const given = typeof value === 'string' && type !== 'string' ? value.trim() : value
  switch (type) {
    case 'number':
      return toNumber(given)
    case 'boolean':
      return toBoolean(given)
    case 'string':
      return toText(given, mostStringBytes)
    case 'blob':
      return typeof given === 'string' && /^[A-Za-z0-9+/\s]*={0,2}$/.test(given)
        ? toText(given, mostBlobBytes)
        : undefined
    case 'gps':
      return typeof given === 'string' ? toGps(given) : undefined
  }
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && decimal.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function toBoolean(value: unknown): boolean | undefined {
  const word = typeof value === 'string' ? value.toLowerCase() : value
  if (word === true || word === 1 || word === '1' || word === 'true') return true
  return word === false || word === 0 || word === '0' || word === 'false' ? false : undefined
}

function toText(value: unknown, mostBytes: number): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  const text = String(value)
  return Buffer.byteLength(text) <= mostBytes ? text : undefined
}

/** `lat,lng` in decimal degrees, from decimal degrees, degrees-minutes-seconds, or an NMEA GLL or GGA sentence. */
function toGps(text: string): string | undefined {
  if (text.length > 200) return undefined
  const [lat, lng] = text.startsWith('$') ? fromNmea(text) : fromPair(text)
  if (lat === undefined || lng === undefined || Math.abs(lat) > 90 || Math.abs(lng) > 180) return undefined
  return `${rounded(lat)},${rounded(lng)}`
}

type Place = [lat?: number, lng?: number]

function fromPair(text: string): Place {
  const numbers = text.split(',').map((part) => part.trim())
  if (numbers.length === 2 && numbers.every((part) => /^[+-]?\d{1,3}(\.\d+)?$/.test(part))) {
    return [Number(numbers[0]), Number(numbers[1])]
  }
  const parts = [
    ...text.matchAll(
      /(\d{1,3}(?:\.\d+)?)\s*[°d]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′m]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″s]|'')\s*)?([NSEW])/gi,
    ),
  ]
  const [first, second] = parts
  if (parts.length !== 2 || first === undefined || second === undefined) return []
  return /[NS]/i.test(first[4]!) && /[EW]/i.test(second[4]!) ? [fromDegrees(first), fromDegrees(second)] : []
}

function fromDegrees([, degrees, minutes = '0', seconds = '0', side]: RegExpMatchArray): number | undefined {
  if (Number(minutes) >= 60 || Number(seconds) >= 60) return undefined
  return signed(Number(degrees) + Number(minutes) / 60 + Number(seconds) / 3600, side!)
}

function fromNmea(sentence: string): Place {
  const fields = sentence.replace(/\*.*$/, '').split(',')
  const from = /^\$..GLL$/.test(fields[0]!) ? 1 : /^\$..GGA$/.test(fields[0]!) ? 2 : 0
  if (from === 0) return []
  const [lat, ns, lng, ew] = fields.slice(from, from + 4)
  return /^[NS]$/.test(ns ?? '') && /^[EW]$/.test(ew ?? '')
    ? [fromNmeaAngle(lat!, 2, ns!), fromNmeaAngle(lng!, 3, ew!)]
    : []
}

/** `ddmm.mmm`: whole degrees in two or three digits, then minutes. */
function fromNmeaAngle(text: string, digits: number, side: string): number | undefined {
  if (!/^\d{4,5}(\.\d+)?$/.test(text)) return undefined
  const minutes = Number(text.slice(digits))
  return minutes >= 60 ? undefined : signed(Number(text.slice(0, digits)) + minutes / 60, side)
}

function signed(angle: number, side: string): number {
  return /[SW]/i.test(side) ? -angle : angle
}

function rounded(angle: number): number {
  return Math.round(angle * 1e8) / 1e8
}
