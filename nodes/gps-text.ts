import type { Point } from '../engine/helpers/gps.ts'

/** The place that a text names: decimal degrees, degrees-minutes-seconds, or an NMEA GLL or GGA sentence; else undefined. */
export function readGps(text: string): Point | undefined {
  if (text.length > 200) return undefined
  const given = text.trim()
  const [latitude, longitude] = given.startsWith('$') ? fromNmea(given) : fromPair(given)
  if (latitude === undefined || longitude === undefined) return undefined
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined
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
