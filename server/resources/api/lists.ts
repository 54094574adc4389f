import { type Listing, type PageRequest, Refusal } from '../../../nodes/services/listing.ts'
import type { Document } from '../../store/documents/document.ts'
import type { Documents } from '../../store/documents.ts'
import type { Filter } from '../../store/port.ts'
import { type Checked, oneOf } from '../check.ts'
import { listPage, type SortFields } from '../listing.ts'
import { type ApiWorld, number, words } from './call.ts'

/** The parameters that all lists share. */
export const listParams = {
  page: number,
  perPage: number,
  sortField: words,
  sortDirection: oneOf(['asc', 'desc']),
  filterField: words,
  filter: words,
}
type ListParams = Checked<typeof listParams>

/** The page that is asked for. */
export function pageOf({ page, perPage, sortField, sortDirection }: ListParams): PageRequest {
  return { page, perPage, sortField, sortDirection }
}

/** A list as it is answered: with what it was asked by, and whose it is. */
export function answerOf<T>(listing: Listing<T>, world: ApiWorld, asked: Record<string, unknown> & ListParams) {
  const { page: _p, perPage: _pp, sortField: _s, sortDirection: _d, filter = '', filterField = '', ...others } = asked
  return { ...listing, filter, filterField, ...others, applicationId: world.app.scope.application }
}

/**
 * The pattern of a list as conditions of a query: `*` at either end is any run of characters, upper and lower case are the same.
 * The first of `fields` is the one that is meant when none is said. Throws Refusal for another field or a `*` in between.
 */
export function patternQuery({ filter, filterField }: ListParams, fields: readonly string[]): object {
  const pattern = readPattern({ filter, filterField }, fields)
  if (pattern === undefined) return {}
  return { [pattern.field]: { [`$${pattern.op}`]: pattern.text, $ci: true } }
}

/** As `patternQuery`, as a filter of the store. */
export function patternFilter(params: ListParams, fields: readonly string[]): Filter {
  const pattern = readPattern(params, fields)
  if (pattern === undefined) return { all: [] }
  return { field: pattern.field, op: pattern.op, value: pattern.text, ignoreCase: true }
}

function readPattern(
  { filter = '', filterField }: Pick<ListParams, 'filter' | 'filterField'>,
  fields: readonly string[],
) {
  const field = filterField ?? fields[0]!
  if (!fields.includes(field)) {
    const known = fields.join(', ')
    throw new Refusal(
      'Validation',
      `Expected "filterField" to be one of ${known}, got ${JSON.stringify(field.slice(0, 80))}`,
    )
  }
  const [, first, text, last] = /^(\**)(.*?)(\**)$/s.exec(filter)!
  if (text === '') return undefined
  if (text!.includes('*')) throw new Refusal('Validation', 'Expected "*" in "filter" only at its start or its end')
  const op = first && last ? 'contains' : first ? 'endsWith' : last ? 'startsWith' : 'eq'
  return { field, op, text: text! } as const
}

/** A page of a collection whose documents are what flows see, through `view`. */
export async function listOf<N extends keyof Documents>(
  world: ApiWorld,
  name: N,
  list: {
    asked: Record<string, unknown> & ListParams
    filters: readonly string[]
    sortFields: SortFields
    also?: Filter
    view(document: Documents[N]): unknown
  },
) {
  const { asked, filters, sortFields, also, view } = list
  const filter: Filter = { all: [patternFilter(asked, filters), ...(also ? [also] : [])] }
  const listing = await listPage<Documents[N] & Document, unknown>(world.app.collection(name) as never, filter, {
    request: pageOf(asked),
    sortFields,
    view: async (documents) => documents.map(view),
  })
  return answerOf(listing, world, asked)
}

/** The names under which fields are sorted by that every resource has. */
export const commonSort: SortFields = {
  name: 'name',
  id: 'id',
  creationDate: 'creationDate',
  lastUpdated: 'lastUpdated',
}
