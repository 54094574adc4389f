import type { Devices, StateReport } from '../../nodes/services/devices.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { AppStore, StatePoint, StateValue } from '../store/port.ts'
import { chunks } from '../tenancy/batch.ts'
import { castState } from './cast.ts'
import { type Actor, anyone, type Happened } from './happenings.ts'

/** Stores reports of state as `actor` gives them, then tells of them, device by device. */
export function openReports({
  app,
  now,
  actor,
  happened,
}: {
  app: AppStore
  now(): number
  actor: Actor
  happened?: Happened
}): Devices['report'] {
  const relay = actor === anyone ? {} : { relay: { type: actor.type, id: actor.id } }
  return async (reports) => {
    if (reports.length === 0) return
    const devices = await devicesOf(app, reports)
    const dropped: string[] = []
    const happenings = new Map<string, Reported>()
    for (const report of reports) {
      const device = devices.get(idOf(report))!
      const told = happenings.get(device.id) ?? { device, given: 0, points: [], invalid: [] }
      happenings.set(device.id, told)
      told.given += 1
      const data = storable(report, device, dropped)
      const time = timeOf(report, now())
      const meta = report.meta === undefined ? {} : { meta: report.meta }
      if (Object.keys(data).length > 0) told.points.push({ deviceId: device.id, time, data, ...meta, ...relay })
      else if (Object.keys(report.data).length > 0) told.invalid.push({ original: report.data, time })
    }
    const points = [...happenings.values()].flatMap((one) => one.points)
    if (points.length > 0) await app.telemetry.append(points)
    if (happened) for (const one of happenings.values()) await tell(one, happened, actor)
    if (points.length > 0) return
    const why = dropped.length === 0 ? 'no values were given' : dropped.slice(0, 5).join('; ')
    throw new Refusal(
      'Validation',
      `Expected a value for an attribute of the device, got none that can be stored: ${why}`,
    )
  }
}

interface Reported {
  device: DeviceDocument
  given: number
  points: StatePoint[]
  invalid: { original: unknown; time: number }[]
}

async function tell({ device, given, points, invalid }: Reported, happened: Happened, actor: Actor): Promise<void> {
  if (points.length > 0) await happened({ kind: 'state', device, points, batch: given > 1 }, actor)
  for (const one of invalid) await happened({ kind: 'invalid-state', device, ...one }, actor)
}

/** Throws Refusal `NotFound` before anything is stored when a device is unknown. */
async function devicesOf(app: AppStore, reports: readonly StateReport[]): Promise<Map<string, DeviceDocument>> {
  const ids = [...new Set(reports.map(idOf))]
  const devices = new Map<string, DeviceDocument>()
  for (const part of chunks(ids, 1_000)) {
    for (const device of await app.collection('devices').getMany(part)) devices.set(device.id, device)
  }
  const missing = ids.find((id) => !devices.has(id))
  if (missing !== undefined) throw new Refusal('NotFound', `Expected the id of a device, got "${missing.slice(0, 80)}"`)
  return devices
}

function idOf(report: StateReport): string {
  return String(report.deviceId).trim().toLowerCase()
}

/** The values that the device has an attribute for, cast to its type. Why others were dropped is added to `dropped`. */
function storable(report: StateReport, device: DeviceDocument, dropped: string[]): Record<string, StateValue> {
  const types = new Map(device.attributes.map(({ name, dataType }) => [name, dataType]))
  const entries: [string, StateValue][] = []
  for (const [name, value] of Object.entries(report.data)) {
    // A template that rendered blank gives no value.
    if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) continue
    const type = types.get(name)
    const cast = type === undefined ? undefined : castState(value, type)
    if (cast !== undefined) entries.push([name, cast])
    else if (dropped.length < 5) {
      const short = name.slice(0, 80)
      dropped.push(
        type === undefined ? `"${short}" is no attribute of the device` : `the value of "${short}" is no ${type}`,
      )
    }
  }
  return Object.fromEntries(entries)
}

function timeOf({ time }: StateReport, now: number): number {
  const given = time !== undefined && Number.isFinite(time) ? Math.round(time) : now
  return Number.isSafeInteger(given) ? given : now
}
