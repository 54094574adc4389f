import type { AttributeDefinition, DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore, LastValue, StateValue } from '../store/port.ts'
import { chunks, matching } from '../tenancy/batch.ts'
import { isObject } from './check.ts'
import { type FoldName, folds } from './time-series-fold.ts'

/**
 * What the attributes of a system are now, each made of the last values of its direct children as its rule says. Where no child
 * has a value the attribute is left out, but a COUNT is 0. Empty for a device without such rules.
 */
export async function systemState(app: AppStore, system: DeviceDocument): Promise<Record<string, StateValue>> {
  const rules = system.attributes.flatMap(rulesOf)
  if (rules.length === 0) return {}
  const names = [...new Set(rules.flatMap(({ sources }) => sources.map(({ name }) => name)))]
  const children: DeviceDocument[] = []
  const below = { field: 'parentId', op: 'eq', value: system.id } as const
  for await (const child of matching(app.collection('devices'), below)) children.push(child)
  const running = rules.map((rule) => ({ ...rule, result: folds[rule.aggregation]() }))
  for (const part of chunks(children, 1_000)) {
    const ids = part.map(({ id }) => id)
    const last = await app.telemetry.last(ids, names)
    for (const child of part) {
      for (const { sources, aggregation, result } of running) {
        const found = valuesOf(child, last.get(child.id) ?? {}, sources)
        // Children are counted, not their values.
        for (const { time, value } of aggregation === 'COUNT' ? found.slice(0, 1) : found) result.add(time, value)
      }
    }
  }
  const results = running.flatMap(({ attribute, aggregation, result }): [string, StateValue][] => {
    const value = result.result()?.value ?? (aggregation === 'COUNT' ? 0 : undefined)
    return value === undefined ? [] : [[attribute, value]]
  })
  return Object.fromEntries(results)
}

interface Source {
  name: string
  selects(child: DeviceDocument): boolean
}

interface Rule {
  attribute: string
  aggregation: FoldName
  sources: Source[]
}

function valuesOf(child: DeviceDocument, last: Record<string, LastValue>, sources: readonly Source[]): LastValue[] {
  return sources.flatMap(({ name, selects }) => (Object.hasOwn(last, name) && selects(child) ? [last[name]!] : []))
}

/** The rule of an attribute; none where it has none, or one that names no aggregation. */
function rulesOf({ name: attribute, system }: AttributeDefinition): Rule[] {
  if (!isObject(system)) return []
  const { aggregation, childAttributes } = system
  if (typeof aggregation !== 'string' || !Object.hasOwn(folds, aggregation) || !Array.isArray(childAttributes))
    return []
  return [{ attribute, aggregation: aggregation as FoldName, sources: childAttributes.flatMap(sourcesOf) }]
}

function sourcesOf(given: unknown): Source[] {
  if (!isObject(given) || typeof given.name !== 'string') return []
  const { name, mode = 'all' } = given
  const ids = new Set(Array.isArray(given.deviceIds) ? given.deviceIds : [])
  const tags = Array.isArray(given.deviceTags) ? given.deviceTags.filter(isObject) : []
  const listed = (child: DeviceDocument) => ids.has(child.id) || tags.some((tag) => hasTag(child, tag))
  const selects = {
    all: () => true,
    whitelist: listed,
    blacklist: (child: DeviceDocument) => !listed(child),
  }
  return Object.hasOwn(selects, String(mode)) ? [{ name, selects: selects[mode as keyof typeof selects] }] : []
}

/** A pair with one blank side asks for the other alone; one without sides for nothing. */
function hasTag({ tags }: DeviceDocument, wanted: Record<string, unknown>): boolean {
  if (!wanted.key && !wanted.value) return false
  return tags.some(({ key, value }) => (!wanted.key || wanted.key === key) && (!wanted.value || wanted.value === value))
}
