import type { IndexDescription } from 'mongodb'
import { type CollectionPlan, collections } from './documents.ts'
import { StoreError } from './port.ts'

/** How a collection lies in MongoDB. */
export interface MongoLayout {
  /** As in documents.ts. */
  collection: string
  /** Fields with one value, dates included; `id` is apart. */
  fields: readonly string[]
  lists: readonly string[]
  tags: readonly string[]
  cells?: { field: string; of: string }
  unique: readonly (readonly string[])[]
  due?: readonly string[]
  definition: boolean
}

export type MongoLayouts = ReadonlyMap<string, MongoLayout>

/** The layouts of documents.ts, or of the plans given. */
export function layoutsOf(plans: Readonly<Record<string, CollectionPlan>> = collections): MongoLayouts {
  return new Map(
    Object.entries(plans).map(([collection, plan]) => [
      collection,
      {
        collection,
        fields: ['creationDate', 'lastUpdated', ...plan.fields],
        lists: plan.lists ?? [],
        tags: plan.tags ?? [],
        ...(plan.cells ? { cells: plan.cells } : {}),
        unique: plan.unique ?? [],
        ...(plan.due ? { due: plan.due } : {}),
        definition: plan.definition ?? false,
      },
    ]),
  )
}

/** The name of the MongoDB collection. */
export function tableOf(collection: string): string {
  return `c_${collection}`
}

// Names of fields come from documents.ts, and may have dots, which MongoDB would follow.
const flat = (field: string) => field.replaceAll('.', '_')

/** Keys of a stored document: folded text or value, exact value, list, folded list, tags as `{k, v}`, unique combination. */
export const sortKey = (field: string) => (field === 'id' ? 'id' : `s_${flat(field)}`)
export const exactKey = (field: string) => (field === 'id' ? 'id' : `x_${flat(field)}`)
export const listKey = (field: string) => `l_${flat(field)}`
export const foldedListKey = (field: string) => `f_${flat(field)}`
export const tagKey = (field: string) => `t_${flat(field)}`
/** What a cell is ordered by. */
export const cellKey = (key: string) => `cells.${key}.s`
export const uniqueKey = (position: number) => `u_${position}`

/** Every index begins with the application, since a query that forgot it would find none; but for those of what is due. */
export function indexesOf(layout: MongoLayout): IndexDescription[] {
  const of = (keys: string[], unique = false): IndexDescription => ({
    key: Object.fromEntries(['app', ...keys].map((key) => [key, 1])),
    ...(unique ? { unique } : {}),
  })
  return [
    of(['id'], true),
    ...layout.fields.map((field) => of([sortKey(field), 'id'])),
    ...layout.lists.map((field) => of([listKey(field)])),
    ...layout.tags.flatMap((field) => {
      const [key, value] = [`${tagKey(field)}.k`, `${tagKey(field)}.v`]
      return [of([key, value]), of([value])]
    }),
    ...layout.unique.map((_, position) => of([uniqueKey(position)], true)),
    ...(layout.due ?? []).map((field): IndexDescription => ({ key: { [sortKey(field)]: 1, app: 1 } })),
  ]
}

/** Throws StoreError `field` unless the field is declared as one of this kind. */
export function checkDeclared(layout: MongoLayout, kind: 'fields' | 'lists' | 'tags', field: string): string {
  if (layout[kind].includes(field) || (kind === 'fields' && field === 'id')) return field
  const name = { fields: 'field', lists: 'list', tags: 'tag field' }[kind]
  throw new StoreError('field', `Expected a declared ${name} of ${layout.collection}, got ${JSON.stringify(field)}.`)
}
