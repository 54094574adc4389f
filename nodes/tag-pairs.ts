import { list, optional, template } from '../engine/fields.ts'
import type { TagPair } from './services/listing.ts'

const toSet = 'In an update they are merged: other keys stay, and a pair without a value removes its key.'
const toFind = 'What to look for: a pair with one blank side asks for the other alone, one without sides for nothing.'

/** A list of tag pairs at a key, to set or (`find`) to look for. A value that is absent tells a removal from a blank. */
export function tagPairs(key: string, { label = 'Tags', find = false }: { label?: string; find?: boolean } = {}) {
  return list({
    key,
    label,
    help: find ? toFind : toSet,
    of: {
      key: template({ key: 'keyTemplate', label: 'Key', help: 'Up to 255 letters, digits, "_" and "-".' }),
      value: optional(template({ key: 'valueTemplate', label: 'Value', help: 'Text of up to 255 characters.' })),
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
