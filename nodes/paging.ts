import { choiceTemplate, flag, numberTemplate, template } from '../engine/fields.ts'
import type { Listing, PageRequest } from './services/listing.ts'

/** The settings of every node that finds many. */
export const pagingFields = {
  findMultiple: flag({ key: 'findMultiple', label: 'Find many', help: 'Off: one, or null. On: a list.' }),
  findMetadata: flag({
    key: 'findMetadata',
    label: 'With counts',
    help: 'With a list: an object with items, count, totalCount, page and perPage instead.',
  }),
  perPage: numberTemplate({ key: 'resultsPerPage', label: 'Results per page', help: 'At most 1000.', default: 100 }),
  page: numberTemplate({ key: 'resultsPage', label: 'Page', help: 'The first is 0.', default: 0 }),
  sortField: template({ key: 'sortField', label: 'Sort by', help: 'The name of a field.' }),
  sortDirection: choiceTemplate({
    key: 'sortDirection',
    label: 'Direction',
    help: 'asc or desc.',
    of: ['', 'asc', 'desc'],
  }),
}

interface Paging {
  findMultiple: boolean
  findMetadata: boolean
  perPage: number
  page: number
  sortField: string
  sortDirection: '' | 'asc' | 'desc'
}

/** The page to ask for: one item where one is wanted. */
export function pageOf({ findMultiple, findMetadata, perPage, page, sortField, sortDirection }: Paging): PageRequest {
  const order = { sortField: sortField || undefined, sortDirection: sortDirection || undefined }
  if (!findMultiple) return { perPage: 1, page: 0, ...order, withoutCount: true }
  return { perPage, page, ...order, withoutCount: !findMetadata || undefined }
}

/** What is put at the result path: an item or null, a list, or a list with its counts. */
export function foundOf<T>(listing: Listing<T>, { findMultiple, findMetadata }: Paging): unknown {
  if (!findMultiple) return listing.items[0] ?? null
  return findMetadata ? listing : listing.items
}
