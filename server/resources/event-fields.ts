import type { EventView } from '../../nodes/services/events.ts'
import { Refusal, type TagPair } from '../../nodes/services/listing.ts'
import type { EventDocument, EventUpdate } from '../store/documents/devices.ts'
import { type Check, flag, id, isObject, oneOf, orNothing, refused, tagMap, text, time } from './check.ts'

export const mostDataBytes = 256 * 1024
export const mostUpdateDataBytes = 64 * 1024
export const mostUpdates = 1_000
export const mostUpdatesBytes = 256 * 1024

/** Any JSON up to so many bytes, as a copy. Dates become ISO text. */
function json(mostBytes: number): Check<unknown> {
  return (value, place) => {
    const written = jsonText(value)
    if (written !== undefined && Buffer.byteLength(written) <= mostBytes) return JSON.parse(written)
    const got = written === undefined ? 'a value that JSON has no form for' : `${Buffer.byteLength(written)} bytes`
    throw new Refusal('Validation', `Expected "${place}" to be at most ${mostBytes} bytes of JSON, got ${got}`)
  }
}

function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // A value inside itself, or nested too deep, is the answer that was asked for.
    return undefined
  }
}

/** Tags to merge: one without a value is to be removed. */
const tagChanges: Check<TagPair[]> = (value, place) => {
  if (!isObject(value)) throw refused(place, 'an object of texts', value)
  const entries = Object.entries(value)
  if (entries.length > 100) {
    throw new Refusal('Validation', `Expected "${place}" to have at most 100 tags, got ${entries.length}`)
  }
  return entries.map(([key, one]) => {
    if (one === null || one === undefined || one === '') return { key }
    if (typeof one !== 'string') throw refused(`${place}.${key.slice(0, 80)}`, 'text', one)
    return { key, value: one }
  })
}

// A template that rendered blank gives no tag.
const tags: Check<Record<string, string>> = (value, place) =>
  tagMap(isObject(value) ? Object.fromEntries(Object.entries(value).filter(([, one]) => one !== '')) : value, place)

const level = oneOf(['info', 'warning', 'error', 'critical'])
const state = oneOf(['new', 'acknowledged', 'resolved'])
const subject = text(1, 255)

export const createFields = {
  level,
  state,
  subject,
  message: text(0, 32_767),
  deviceId: orNothing(id),
  data: json(mostDataBytes),
  eventTags: tags,
  disableTagChangeTracking: flag,
  creationDate: time,
}

export const updateFields = {
  level,
  state,
  subject,
  deviceId: orNothing(id),
  data: json(mostUpdateDataBytes),
  eventTags: tagChanges,
  comment: text(0, 32_767),
}

/** What an update notes about fields that are now another. */
export function changesOf(
  before: EventDocument,
  after: Pick<EventDocument, 'level' | 'state' | 'subject' | 'deviceId' | 'eventTags'>,
): Partial<EventUpdate> {
  const changed = <K extends 'level' | 'state' | 'subject'>(field: K) =>
    before[field] === after[field] ? {} : { [`${field}Change`]: { old: before[field], new: after[field] } }
  const deviceIdChange = { ...sideOf('old', before.deviceId), ...sideOf('new', after.deviceId) }
  const [old, now] = [new Map(Object.entries(before.eventTags)), new Map(Object.entries(after.eventTags))]
  const keys = [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key))
  const tagsChange = Object.fromEntries(
    keys.map((key) => [key, { ...sideOf('old', old.get(key)), ...sideOf('new', now.get(key)) }]),
  )
  return {
    ...changed('state'),
    ...changed('level'),
    ...changed('subject'),
    ...(before.deviceId === after.deviceId ? {} : { deviceIdChange }),
    ...(keys.length === 0 || before.disableTagChangeTracking ? {} : { tagsChange }),
  }
}

function sideOf(side: 'old' | 'new', value: string | undefined) {
  return value === undefined ? {} : { [side]: value }
}

/** The newest that an event keeps: at most 1,000, and 256 KB of JSON in all; the last one always. */
export function newestUpdates(updates: readonly EventUpdate[]): EventUpdate[] {
  let bytes = 0
  const kept: EventUpdate[] = []
  for (const update of updates.toReversed()) {
    bytes += Buffer.byteLength(JSON.stringify(update))
    if (kept.length > 0 && (kept.length === mostUpdates || bytes > mostUpdatesBytes)) break
    kept.push(update)
  }
  return kept.reverse()
}

/** Who last touched an event: what runs that it starts name as their cause. */
export function lastSource(event: EventView): { type: string; id: string } {
  const { sourceType, sourceId } = (event.updates as EventUpdate[]).at(-1) ?? (event as unknown as EventDocument)
  return { type: sourceType, id: sourceId }
}
