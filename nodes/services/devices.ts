import type { Payload } from '../../engine/payload.ts'
import type { Listing, PageRequest, TagPair } from './listing.ts'
import type { Series, SeriesRequest } from './series.ts'

export type DeviceCriteria =
  | { by: 'id'; id: string }
  | { by: 'name'; name: string }
  | { by: 'allTags' | 'anyTags'; tags: TagPair[] }
  | { by: 'parent'; parentId: string }
  | { by: 'group'; groupId: string }
  | { by: 'user'; idOrEmail: string }
  /** An advanced query; undefined or `{}` is everything. */
  | { by: 'query'; query: unknown }

export interface DeviceShape {
  tagsAsObject?: boolean
  attributesAsObject?: boolean
  includeConnectionInfo?: boolean
  /** Adds `compositeState`: of all attributes, or of those named. */
  state?: true | string[]
}

/** A device as flows see it (reference/nodes-data.md 0.3); its shape depends on DeviceShape. */
export type DeviceView = Payload & { id: string; name: string }

export interface StateReport {
  deviceId: string
  /** Attribute name to value; cast to the attribute's type. Blank strings are skipped. */
  data: Payload
  /** Milliseconds since the epoch; default now. */
  time?: number
  meta?: unknown
}

export interface Devices {
  /** Blank or unknown ids give an empty listing, never everything. Throws Refusal for a query that is not valid. */
  find(criteria: DeviceCriteria, page: PageRequest, shape: DeviceShape): Promise<Listing<DeviceView>>
  /** `body` is the published create schema plus `recipeId`. Throws Refusal. */
  create(body: Payload, shape: DeviceShape): Promise<DeviceView>
  /** Whole arrays in `patch` replace; `mergeTags` and `mergeAttributes` merge per key. Throws Refusal. */
  update(id: string, patch: Payload, options: DeviceShape & DeviceMerge): Promise<DeviceView>
  /** Removes the device and its telemetry; devices below it go to the top. False when there was none. */
  remove(id: string): Promise<boolean>
  /** Stores what can be stored of each report and fires state triggers. Throws Refusal for an unknown device or when nothing is left. */
  report(reports: StateReport[]): Promise<void>
  /** History of attributes, oldest first. `resolution` 0 gives the raw points (at most 10,000 an attribute). */
  history(request: {
    deviceId: string
    attributes?: string[]
    start: number
    end: number
    resolution: number
    aggregation: string
  }): Promise<Record<string, { time: Date; value: unknown }[]>>
  /** What attributes of many devices were over a time. Throws Refusal for what cannot be asked, or would be too much work. */
  series(request: SeriesRequest): Promise<Series>
}

export interface DeviceMerge {
  mergeTags?: TagPair[]
  mergeAttributes?: { name: string; dataType?: string; contentType?: string }[]
}
