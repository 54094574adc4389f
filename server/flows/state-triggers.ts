import type { PlanTrigger } from '../../engine/compile.ts'
import type { Payload } from '../../engine/payload.ts'
import type { Happening } from '../resources/happenings.ts'
import { isoOf } from '../resources/listing.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { StatePoint } from '../store/port.ts'

/** What one run that a trigger begins gets of its own. `time` in milliseconds since the epoch. */
export interface Firing {
  time: number
  data: unknown
  roots?: Payload
}

type StateHappening = Extract<Happening, { kind: 'state' | 'invalid-state' }>

interface StateConfig {
  triggerOn: 'both' | 'individual' | 'batch'
  batchBehavior: 'each' | 'once'
  attributeWhitelist: string[]
  attributeBlacklist: string[]
  maxAge: number | undefined
  allowInvalid: boolean
}

/** The runs that reports of a device begin at a trigger of type `device-state`, in the order of the reports. */
export function stateFirings(trigger: PlanTrigger, happening: StateHappening, now: number): Firing[] {
  if (!selects(trigger, happening.device)) return []
  const config = trigger.config as unknown as StateConfig
  if (happening.kind === 'invalid-state') {
    const { time, original } = happening
    return config.allowInvalid ? [{ time, data: null, roots: { original } }] : []
  }
  const { points, batch } = happening
  if (config.triggerOn === (batch ? 'individual' : 'batch')) return []
  if (batch && config.batchBehavior === 'once') {
    const list = points.map(({ data, time, meta }) => ({ data, time: isoOf(time), ...metaOf(meta) }))
    return [{ time: now, data: list }]
  }
  return points
    .filter((point) => passes(config, point, now))
    .map(({ data, time, meta }) => ({ time, data, roots: metaOf(meta) }))
}

function metaOf(meta: unknown): { meta?: unknown } {
  return meta === undefined ? {} : { meta }
}

function passes({ attributeWhitelist, attributeBlacklist, maxAge }: StateConfig, point: StatePoint, now: number) {
  const names = Object.keys(point.data)
  if (attributeWhitelist.length > 0 && !names.some((name) => attributeWhitelist.includes(name))) return false
  if (names.every((name) => attributeBlacklist.includes(name))) return false
  return maxAge === undefined || now - point.time <= maxAge * 1000
}

/** The key names the device, or a tag of it. A tag of which neither side is named selects nothing. */
export function selects({ published, key }: PlanTrigger, device: DeviceDocument): boolean {
  const slash = key.indexOf('/')
  if (slash === -1 && !published.startsWith('deviceTag')) return key.trim().toLowerCase() === device.id
  const [name, value] = slash === -1 ? [key, ''] : [key.slice(0, slash), key.slice(slash + 1)]
  if (name === '' && value === '') return false
  return device.tags.some((tag) => (name === '' || tag.key === name) && (value === '' || tag.value === value))
}
