import { Refusal, type TagPair } from '../../nodes/services/listing.ts'
import { byClass, type DeviceFields, mergeTags, overRecipe, readDevice } from '../resources/device-fields.ts'
import type { DeviceDocument, RecipeDocument } from '../store/documents/devices.ts'
import type { Tag } from '../store/documents/document.ts'
import type { Columns, CsvRow } from './device-import-csv.ts'

const mostCellChars = 255

export interface RowRules {
  columns: Columns
  /** Set on each device. */
  tags: readonly Tag[]
  recipe?: RecipeDocument
}

/** What a row says of its device; blank cells say nothing. Throws Refusal. */
export function readRow({ cells }: CsvRow, { columns, tags }: RowRules): DeviceFields & { tags: Tag[] } {
  if (cells.length > columns.count) {
    throw new Refusal('Validation', `Expected ${columns.count} cells, as the header has, got ${cells.length}`)
  }
  const { name, description, deviceClass } = columns
  const given = Object.entries({ name, description, deviceClass }).flatMap(([key, index]) => {
    const cell = index === undefined ? undefined : cells[index]
    return cell ? [[key, cell]] : []
  })
  const own = columns.tags.flatMap(({ key, index }): Tag[] => {
    const value = cells[index]
    if (!value) return []
    if (value.length <= mostCellChars) return [{ key, value }]
    throw new Refusal('Validation', `Expected at most ${mostCellChars} characters as "${key}", got ${value.length}`)
  })
  return { ...readDevice(Object.fromEntries(given)), tags: [...own, ...tags] }
}

/** The fields of a new device. A name that is missing becomes that of the recipe with the number of the device. Throws Refusal. */
export function newDevice(given: DeviceFields, { recipe }: RowRules, number: number): DeviceFields & { name: string } {
  const fields = byClass(recipe === undefined ? given : overRecipe(given, recipe))
  if (fields.deviceClass === 'peripheral' && fields.gatewayId === undefined) throw noGateway()
  const name =
    given.name ?? (recipe && `${(fields.name ?? recipe.name).slice(0, 240)} ${String(number).padStart(4, '0')}`)
  if (name === undefined) throw new Refusal('Validation', 'Expected a name, got a blank cell')
  return { ...fields, name }
}

/** What changes of a device; undefined: nothing. Tags that the row does not name stay. Throws Refusal. */
export function deviceChange(
  device: DeviceDocument,
  given: DeviceFields & { tags: TagPair[] },
): DeviceFields | undefined {
  const fields = byClass({ ...given, tags: mergeTags(device.tags, given.tags) }, device)
  const gateway = 'gatewayId' in fields ? fields.gatewayId : device.gatewayId
  if (fields.deviceClass === 'peripheral' && gateway === undefined) throw noGateway()
  const changed = Object.entries(fields).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(device[key as keyof DeviceDocument]),
  )
  return changed.length === 0 ? undefined : Object.fromEntries(changed)
}

function noGateway(): Refusal {
  return new Refusal('Validation', 'Expected a recipe with a gateway for a device of class peripheral')
}
