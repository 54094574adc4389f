import { Refusal } from '../../nodes/services/listing.ts'

const mostBytes = 1024 * 1024
const longestKey = 500

/** Throws Refusal `Validation` for more than 1 MB of JSON, and for what is no JSON. */
export function checkSize(name: 'input' | 'output', value: unknown): void {
  if (value === undefined) return
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '')
  if (bytes <= mostBytes) return
  throw new Refusal('Validation', `Expected at most ${mostBytes} bytes of JSON as the ${name} of a job, got ${bytes}.`)
}

/** Throws Refusal `Validation` for an empty key or one of more than 500 characters. */
export function checkKey(key: string): void {
  if (key.length > 0 && key.length <= longestKey) return
  throw new Refusal('Validation', `Expected 1 to ${longestKey} characters as the key of a job, got ${key.length}.`)
}
