import { type Listing, type PageRequest, Refusal, type TagPair } from '../../nodes/services/listing.ts'
import type { Document } from '../store/documents/document.ts'
import type { Collection, Filter } from '../store/port.ts'

/** Fields that a list may be sorted by; the first is the default. A name of the format may stand for another of the store. */
export type SortFields = Readonly<Record<string, string>>

export const mostPerPage = 1_000

/**
 * One page of what matches, with the count of all. The order is total (field, then id), so that pages neither overlap nor leave
 * gaps. `perPage` 0 counts only. Throws Refusal for a field that cannot be sorted by.
 */
export async function listPage<D extends Document, V>(
  collection: Collection<D>,
  filter: Filter,
  { request, sortFields, view }: { request: PageRequest; sortFields: SortFields; view(documents: D[]): Promise<V[]> },
): Promise<Listing<V>> {
  const sortField = request.sortField?.trim() || Object.keys(sortFields)[0]!
  if (!Object.hasOwn(sortFields, sortField)) {
    const known = Object.keys(sortFields).join(', ')
    throw new Refusal(
      'Validation',
      `Expected "sortField" to be one of ${known}, got ${JSON.stringify(sortField.slice(0, 80))}`,
    )
  }
  const sortDirection = request.sortDirection === 'desc' ? 'desc' : 'asc'
  const perPage = bounded(request.perPage, 100, mostPerPage)
  const page = bounded(request.page, 0, 1_000_000_000)
  const skip = page * perPage
  const sort = { field: sortFields[sortField]!, direction: sortDirection } as const
  const found = perPage === 0 || isNothing(filter) ? [] : await collection.find({ filter, sort, skip, limit: perPage })
  // A page that is not full is the last one; counting a large set takes far longer than finding a page of it.
  const isLast = found.length < perPage && (found.length > 0 || page === 0)
  const known = isNothing(filter) ? 0 : skip + found.length
  const counted = isNothing(filter) || isLast || (request.withoutCount && perPage > 0)
  const totalCount = counted ? known : await collection.count(filter)
  const items = await view(found)
  return { items, count: items.length, totalCount, page, perPage, sortField, sortDirection }
}

function isNothing(filter: Filter): boolean {
  return 'any' in filter && filter.any.length === 0
}

function bounded(value: number | undefined, fallback: number, most: number): number {
  if (value === undefined || !Number.isFinite(value) || value < 0) return fallback
  return Math.min(Math.floor(value), most)
}

/** Documents that have all or any of the pairs. A pair without sides is ignored; without any pair nothing is found. */
export function tagFilter(field: string, pairs: readonly TagPair[], mode: 'all' | 'any'): Filter {
  const filters = pairs
    .filter(({ key, value }) => Boolean(key) || Boolean(value))
    .map(
      ({ key, value }): Filter => ({
        tag: field,
        ...(key ? { key: { in: [key] } } : {}),
        ...(value ? { value: { in: [value] } } : {}),
      }),
    )
  if (filters.length === 0) return { any: [] }
  return mode === 'all' ? { all: filters } : { any: filters }
}

/** ISO text of a time. */
export function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
