import { checkCells } from './cells.ts'
import { type CollectionPlan, collections } from './documents.ts'
import { StoreError } from './port.ts'

/** How a collection lies in its table: names of its columns and numbers of its fields in the shared index tables. */
export interface Layout {
  collection: string
  /** The table, quoted. */
  table: string
  /** Fields with one value, dates included, in the order of the columns; `id` is apart. */
  fields: readonly string[]
  lists: ReadonlyMap<string, number>
  tags: ReadonlyMap<string, number>
  /** The field of cells, its number, and the field that its keys belong to. */
  cells?: { field: string; number: number; of: string }
  unique: readonly (readonly string[])[]
  due: readonly string[]
  definition: boolean
}

export type Plans = Readonly<Record<string, CollectionPlan>>
export type Layouts = ReadonlyMap<string, Layout>

/** The plans of documents.ts. */
export const declaredPlans: Plans = collections

/** `numberOf` gives the lasting number of a list or tag field of the store. */
export function layoutOf(collection: string, plan: CollectionPlan, numberOf: (field: string) => number): Layout {
  const numbered = (names: readonly string[] = []) =>
    new Map(names.map((name) => [name, numberOf(`${collection}.${name}`)]))
  return {
    collection,
    table: quoted(`c_${collection}`),
    fields: ['creationDate', 'lastUpdated', ...plan.fields],
    lists: numbered(plan.lists),
    tags: numbered(plan.tags),
    ...(plan.cells ? { cells: { ...plan.cells, number: numberOf(`${collection}.${plan.cells.field}`) } } : {}),
    unique: plan.unique ?? [],
    due: plan.due ?? [],
    definition: plan.definition ?? false,
  }
}

/** The column that a field is ordered by: folded text, or the value. */
export function sortColumn(field: string): string {
  return field === 'id' ? 'id' : quoted(`s.${field}`)
}

/** The column of the text as written; null where it is the same as the folded text. */
export function exactColumn(field: string): string {
  return quoted(`f.${field}`)
}

/** The index (app, sort column, id) of a field; for `id` the one of (app, id). */
export function sortIndex(layout: Layout, field: string): string {
  return quoted(`${field === 'id' ? 'id' : 'sort'}.${layout.collection}.${field}`)
}

/** The name, not quoted, of the index of a unique combination: SQLite names it when a document breaks it. */
export function uniqueIndex(layout: Layout, position: number): string {
  return `unique.${layout.collection}.${position}`
}

/** The index (sort column, app) of a field that is due, of the documents that have it: the only kind that no application leads. */
export function dueIndex(layout: Layout, field: string): string {
  return quoted(`due.${layout.collection}.${field}`)
}

/** Throws StoreError `field` unless the field has one value and is declared. */
export function checkField(layout: Layout, field: string): string {
  if (field !== 'id' && !layout.fields.includes(field)) throw unknownField(layout, field, 'field')
  return field
}

/** The number of a declared list or tag field. Throws StoreError `field`. */
export function numberOfField(layout: Layout, kind: 'lists' | 'tags', field: string): number {
  const number = layout[kind].get(field)
  if (number === undefined) throw unknownField(layout, field, kind === 'lists' ? 'list' : 'tag field')
  return number
}

/** The number of the declared field of cells. Throws StoreError `field`, also for a key that cannot be. */
export function numberOfCells({ collection, cells }: Layout, field: string, key: string): number {
  checkCells(collection, cells?.field, { field, key })
  return cells!.number
}

/** A name as SQL has it: names of fields come from documents.ts, and may have dots. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function unknownField(layout: Layout, field: unknown, kind: string): StoreError {
  return new StoreError('field', `Expected a declared ${kind} of ${layout.collection}, got ${JSON.stringify(field)}.`)
}
