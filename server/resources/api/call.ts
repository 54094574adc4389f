import type { Payload } from '../../../engine/payload.ts'
import type { Devices } from '../../../nodes/services/devices.ts'
import type { Events } from '../../../nodes/services/events.ts'
import type { Flows } from '../../../nodes/services/flows.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import type { Commands } from '../../../nodes/services/messages.ts'
import type { Groups, Users } from '../../../nodes/services/people.ts'
import type { AppStore } from '../../store/port.ts'
import { type Check, type Checked, type Checks, refused } from '../check.ts'
import type { DataTableResource } from '../data-tables.ts'
import type { DeviceResource } from '../devices.ts'
import type { Exports } from '../exports.ts'
import type { FileResource } from '../files.ts'
import type { ResourceJobResource } from '../resource-jobs.ts'

/** What calls work on: the resources of one application, as the flow that calls. */
export interface ApiWorld {
  app: AppStore
  now(): number
  devices: DeviceResource
  users: Users
  groups: Groups
  events: Events
  files: FileResource
  resourceJobs: ResourceJobResource
  flows: Flows
  dataTables?: DataTableResource
  commands?: Commands
  exports?: Exports
}
export type { Devices }

/** A call of the published API: gives the body of its answer, or throws Refusal. */
export type Call = (world: ApiWorld, params: Payload) => Promise<unknown>

/** Calls of one resource, by action. */
export type Calls = Readonly<Record<string, Call>>

/** Declares a call. Only the parameters that have a check are read; those that are blank are not given. */
export function call<C extends Checks>(
  checks: C,
  run: (world: ApiWorld, params: Checked<C>) => Promise<unknown>,
): Call {
  return async (world, params) => {
    const given = Object.entries(checks).flatMap(([name, check]) => {
      const value = Object.hasOwn(params, name) ? params[name] : undefined
      return value === undefined || value === null || value === '' ? [] : [[name, check(value, name)] as const]
    })
    return await run(world, Object.fromEntries(given) as Checked<C>)
  }
}

/** The parameter that a call cannot do without. Throws Refusal. */
export function needed<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw refused(name, 'given', undefined)
  return value
}

/** What calls of a world need that not every world has. Throws Refusal `Unavailable`. */
export function offered<T>(service: T | undefined, what: string): T {
  if (service === undefined)
    throw new Refusal('Unavailable', `Expected a server that has ${what}; here flows run alone`)
  return service
}

/** What was found. Throws Refusal `NotFound`: the same for what is missing and for what is another application's. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Refusal('NotFound', `${what} was not found`)
  return value
}

export const success = { success: true } as const

export const words: Check<string> = (value, place) => {
  if (typeof value === 'string' && value.length <= 8192) return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw refused(place, 'text', value)
}

export const anId: Check<string> = (value, place) => words(value, place).trim().toLowerCase()

export const number: Check<number> = (value, place) => {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof read === 'number' && Number.isFinite(read)) return read
  throw refused(place, 'a number', value)
}

export const truth: Check<boolean> = (value, place) => {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (word === true || word === 'true' || word === 1 || word === '1') return true
  if (word === false || word === 'false' || word === 0 || word === '0') return false
  throw refused(place, 'true or false', value)
}

/** Any value; text is JSON, and may be JSON of JSON. */
export const fromJson: Check<unknown> = (value, place) => {
  let read = value
  for (let times = 0; times < 2 && typeof read === 'string'; times++) {
    try {
      read = JSON.parse(read)
    } catch {
      throw refused(place, 'JSON', value)
    }
  }
  return read
}

/** A body: an object, or the JSON text of one. */
export const body: Check<Payload> = (value, place) => {
  const read = fromJson(value, place)
  if (read !== null && typeof read === 'object' && !Array.isArray(read)) return read as Payload
  throw refused(place, 'an object', read)
}

/** A list, its JSON text, or words with commas between them. */
export function several(most: number): Check<unknown[]> {
  return (value, place) => {
    const text = typeof value === 'string' && !/^\s*\[/.test(value)
    const read = text ? value.split(',').map((one) => one.trim()) : fromJson(value, place)
    const items = Array.isArray(read) ? read : [read]
    if (items.length > most) throw refused(place, `at most ${most} items`, read)
    return items
  }
}
