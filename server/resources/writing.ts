import { Refusal, type TagPair } from '../../nodes/services/listing.ts'
import { StoreError } from '../store/port.ts'
import { keyText, tagValue } from './check.ts'

const mostAttempts = 10

/**
 * Repeats work that reads documents and writes them with their revisions, when someone else was faster. `missing` also where
 * one of those that were read has been removed.
 */
export async function again<T>(work: () => Promise<T>, codes: readonly string[] = ['conflict']): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StoreError) || !codes.includes(error.code) || attempt >= mostAttempts) throw error
    }
  }
}

/** A duplicate becomes `AlreadyExists`, a document that went away meanwhile `NotFound`. */
export async function refusing<T>(work: Promise<T>, duplicate: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    if (error.code === 'duplicate') throw new Refusal('AlreadyExists', duplicate)
    if (error.code === 'missing') throw new Refusal('NotFound', 'What was to be changed has been removed meanwhile')
    throw error
  }
}

/** Tags with one value a key: a pair with a value sets, one without removes. Throws Refusal for a key or value that cannot be. */
export function mergeTagMap(
  tags: Readonly<Record<string, string>>,
  pairs: readonly TagPair[],
  place: string,
): Record<string, string> {
  const merged = new Map(Object.entries(tags))
  for (const { key, value } of pairs) {
    if (!key) continue
    if (value === undefined || value === '') merged.delete(key)
    else merged.set(keyText(key, `${place} key`), tagValue(value, `${place}.${key.slice(0, 80)}`))
  }
  return Object.fromEntries(merged)
}
