import { list, optional, template } from '../engine/fields.ts'
import type { TagPair } from './services/listing.ts'

/** A list of tag pairs at a key. A value that is absent tells a removal from a blank. */
export function tagPairs(key: string, label = 'Tags') {
  return list({
    key,
    label,
    of: {
      key: template({ key: 'keyTemplate', label: 'Key' }),
      value: optional(template({ key: 'valueTemplate', label: 'Value' })),
    },
  })
}

interface RenderedPair {
  key: string
  value: string | undefined
}

/** Pairs to look for: a blank side is free, a pair without any side is no condition. */
export function toCriteria(pairs: readonly RenderedPair[]): TagPair[] {
  return pairs
    .map(({ key, value }) => ({ key: key || undefined, value: value || undefined }))
    .filter(({ key, value }) => key !== undefined || value !== undefined)
}

/** Pairs to set on something new: those with a key and a value. */
export function toTags(pairs: readonly RenderedPair[]): { key: string; value: string }[] {
  return pairs.flatMap(({ key, value }) => (key && value ? [{ key, value }] : []))
}

/** Pairs to merge into what is there: one without a value removes its key. */
export function toMerge(pairs: readonly RenderedPair[]): TagPair[] {
  return pairs.flatMap(({ key, value }) => (key ? [{ key, value: value || undefined }] : []))
}

/** Pairs as an object, for tags that have one value a key. */
export function toTagObject(pairs: readonly RenderedPair[]): Record<string, string> {
  return Object.fromEntries(toTags(pairs).map(({ key, value }) => [key, value]))
}
