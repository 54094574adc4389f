import { readGps } from '../../nodes/gps-text.ts'
import type { AttributeDefinition } from '../store/documents/devices.ts'
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

/** `lat,lng` in decimal degrees, from any form that `readGps` knows. */
function toGps(text: string): string | undefined {
  const point = readGps(text)
  return point && `${rounded(point.latitude)},${rounded(point.longitude)}`
}

function rounded(angle: number): number {
  return Math.round(angle * 1e8) / 1e8
}
