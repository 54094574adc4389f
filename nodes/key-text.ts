import { printValue } from '../engine/template.ts'

/** A value as the name of a property, as JavaScript would print it; a method of the value, which may be anyone's data, is never called. */
export function keyText(value: unknown): string {
  return value !== null && typeof value === 'object' && !(value instanceof Date) ? printValue(value) : String(value)
}
