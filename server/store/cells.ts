import { type Scalar, StoreError } from './port.ts'

const keyPattern = /^[0-9a-z]{1,40}$/

/** The values of a field of cells, by key; null for what is no scalar. Throws StoreError `field` for a key that cannot be. */
export function cellsAt(document: unknown, field: string): [key: string, value: Scalar][] {
  const cells = Object.hasOwn(document as object, field) ? (document as Record<string, unknown>)[field] : undefined
  if (cells === null || typeof cells !== 'object') return []
  return Object.entries(cells).map(([key, value]) => [checkKey(key), toScalar(value)])
}

/** Throws StoreError `field` unless the field is the one of cells that the collection declares, and the key can be. */
export function checkCells(collection: string, declared: string | undefined, at: { field: string; key: string }): void {
  if (at.field !== declared) {
    const message = `Expected the declared field of cells of ${collection}, got ${JSON.stringify(at.field)}.`
    throw new StoreError('field', message)
  }
  checkKey(at.key)
}

function checkKey(key: string): string {
  if (keyPattern.test(key)) return key
  const message = `Expected a key of cells of 1 to 40 lower-case letters and digits, got ${JSON.stringify(key.slice(0, 80))}.`
  throw new StoreError('field', message)
}

/** What can be compared; null for anything else. */
export function toScalar(value: unknown): Scalar {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
