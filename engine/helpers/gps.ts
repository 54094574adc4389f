import { type Helpers, valueHelper } from './helper.ts'
import { isRecord, printValue, toNumber } from './values.ts'

const EARTH_METRES = 6_371_008.8
// A tenth of a metre.
const DEFAULT_DIGITS = 6

/** A place on earth, in degrees. */
export interface Point {
  latitude: number
  longitude: number
}

/** The place that `lat,lon` text (also with a blank between), a pair of numbers or an object names; undefined if none. */
export function parsePoint(value: unknown): Point | undefined {
  const [latitude, longitude, more] = coordinatesOf(value)
  if (latitude === undefined || longitude === undefined || more !== undefined) return undefined
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined
}

/** Metres between two places along the surface of a sphere. */
export function distanceOf(a: Point, b: Point): number {
  const half = (from: number, to: number) => Math.sin((radians(to) - radians(from)) / 2) ** 2
  const chord =
    half(a.latitude, b.latitude) +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * half(a.longitude, b.longitude)
  return 2 * EARTH_METRES * Math.asin(Math.sqrt(Math.min(1, chord)))
}

/** Whether a place lies inside a polygon; false for less than three corners. */
export function isInside(point: Point, corners: readonly Point[]): boolean {
  let inside = false
  for (let i = 0; i < corners.length; i++) {
    const a = corners[i]!
    const b = corners[(i + 1) % corners.length]!
    if (a.latitude > point.latitude === b.latitude > point.latitude) continue
    const share = (point.latitude - a.latitude) / (b.latitude - a.latitude)
    if (point.longitude < a.longitude + share * (b.longitude - a.longitude)) inside = !inside
  }
  return corners.length > 2 && inside
}

/** Places on earth, given as `lat,lon`. */
export const gpsHelpers: Helpers = {
  gpsDistance: valueHelper((from, to) => {
    const [a, b] = [parsePoint(from), parsePoint(to)]
    return a && b ? distanceOf(a, b) : false
  }),
  formatGps: {
    run: ([value, format, precision], { hash }) => {
      const point = parsePoint(value)
      const digits = toNumber(precision ?? hash.precision ?? DEFAULT_DIGITS)
      if (!point) return ''
      const shown = Number.isNaN(digits) ? DEFAULT_DIGITS : Math.min(Math.max(digits, 0), 15)
      return formatPoint(point, printValue(format ?? hash.format ?? 'decimal'), shown)
    },
  },
  gpsIsPointInside: {
    block: 'both',
    run: ([value, polygon], call) => {
      if (Array.isArray(polygon)) call.budget.step(polygon.length)
      const point = parsePoint(value)
      const corners = Array.isArray(polygon) ? polygon.map(parsePoint).filter((corner) => corner !== undefined) : []
      const inside = point !== undefined && isInside(point, corners)
      if (!call.body) return inside
      return inside ? call.body(call.context) : call.otherwise(call.context)
    },
  },
}

function coordinatesOf(value: unknown): (number | undefined)[] {
  if (typeof value === 'string')
    return value.length > 100
      ? []
      : value
          .trim()
          .split(/\s*,\s*|\s+/)
          .map(toCoordinate)
  if (Array.isArray(value)) return value.slice(0, 3).map(toCoordinate)
  if (isRecord(value)) return [value.latitude ?? value.lat, value.longitude ?? value.lon ?? value.lng].map(toCoordinate)
  return []
}

function toCoordinate(value: unknown): number | undefined {
  if (typeof value !== 'number' && (typeof value !== 'string' || !/^[+-]?\d+(\.\d*)?$|^[+-]?\.\d+$/.test(value)))
    return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}

function formatPoint({ latitude, longitude }: Point, format: string, digits: number): string {
  switch (format) {
    case 'degrees':
      return `${degrees(latitude, 'N', 'S', digits)} ${degrees(longitude, 'E', 'W', digits)}`
    case 'sexagesimal':
      return `${sexagesimal(latitude, 'N', 'S', digits)} ${sexagesimal(longitude, 'E', 'W', digits)}`
    case 'gga':
      return `${gga(latitude, 'N', 'S', 2, digits)},${gga(longitude, 'E', 'W', 3, digits)}`
    default:
      return `${latitude.toFixed(digits)},${longitude.toFixed(digits)}`
  }
}

function degrees(value: number, plus: string, minus: string, digits: number): string {
  return `${Math.abs(value).toFixed(digits)}° ${value < 0 ? minus : plus}`
}

function sexagesimal(value: number, plus: string, minus: string, digits: number): string {
  const { whole, minutes } = split(value, digits + 2)
  const full = Math.floor(minutes)
  return `${whole}° ${full}' ${((minutes - full) * 60).toFixed(digits)}" ${value < 0 ? minus : plus}`
}

function gga(value: number, plus: string, minus: string, width: number, digits: number): string {
  const { whole, minutes } = split(value, digits)
  const text = minutes.toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, '0')
  return `${String(whole).padStart(width, '0')}${text},${value < 0 ? minus : plus}`
}

// Rounded before it is split, so that no minute prints as 60.
function split(value: number, digits: number): { whole: number; minutes: number } {
  const total = Number((Math.abs(value) * 60).toFixed(Math.min(digits, 15)))
  const whole = Math.floor(total / 60)
  return { whole, minutes: total - whole * 60 }
}
