import type { DeviceCriteria } from './devices.ts'

export interface SeriesRequest {
  /** Together at most 1,000 devices; unknown ids are left out. */
  devices: { ids?: readonly string[]; criteria?: readonly DeviceCriteria[] }
  /** At most 256. */
  attributes: readonly string[]
  /** Milliseconds since the epoch, excluded; default now. */
  end?: number
  /** Milliseconds before `end`. Undefined: of each device and attribute only the last value up to `end`, however old. */
  duration?: number
  /** Width of a bucket in milliseconds, counted from the start; the last one may be shorter. Default: one bucket for all. */
  resolution?: number
  /**
   * FIRST, LAST, COUNT, MAX, MIN, MEDIAN, MEAN, SUM, STD_DEV (of a population), TIMEATVALUE (milliseconds for which it was `value`), or
   * NONE: every point. Blank: MEAN of numbers, LAST of others. Those of numbers skip texts; true and false count as 1 and 0.
   */
  aggregation: string
  value?: unknown
  /** A series for each device. Else points of all devices are pooled; NONE is always for each. */
  perDevice: boolean
  order?: 'asc' | 'desc'
  /** NONE only: most points of a device, default and most 25,000. The newest are given with `desc`, else the oldest. */
  limit?: number
  signal?: AbortSignal
}

export interface Series {
  start: number | undefined
  end: number
  aggregation: string
  /** All devices that were asked, by id. */
  devices: { id: string; name: string; tags: Record<string, string[]> }[]
  /** One for each device, in the order of `devices`, or a single one for all. */
  groups: SeriesGroup[]
}

export interface SeriesGroup {
  deviceId: string | undefined
  /** Only buckets and attributes that have a value. `time`: start of the bucket; of a value that was chosen, `chosenAt`. */
  points: { time: number; data: Record<string, { value: number | string | boolean; chosenAt?: number }> }[]
  /** NONE only: there were more than `limit`. */
  limitExceeded: boolean
}
