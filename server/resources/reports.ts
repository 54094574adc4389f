import { type Devices, Refusal, type StateReport } from '../../nodes/services.ts'
import type { DeviceDocument } from '../store/documents.ts'
import type { AppStore, StatePoint, StateValue } from '../store/port.ts'
import { chunks } from '../tenancy/batch.ts'
import { castState } from './cast.ts'

/** Told of each report after it is stored: what fires the state triggers of flows. */
export type StateReported = (report: { device: DeviceDocument; point: StatePoint }) => void | Promise<void>

export function openReports({
  app,
  now,
  stateReported,
}: {
  app: AppStore
  now(): number
  stateReported?: StateReported
}): Devices['report'] {
  return async (reports) => {
    if (reports.length === 0) return
    const devices = await devicesOf(app, reports)
    const dropped: string[] = []
    const kept: { device: DeviceDocument; point: StatePoint }[] = []
    for (const report of reports) {
      const device = devices.get(idOf(report))!
      const data = storable(report, device, dropped)
      if (Object.keys(data).length === 0) continue
      const point = {
        deviceId: device.id,
        time: timeOf(report, now()),
        data,
        ...(report.meta === undefined ? {} : { meta: report.meta }),
      }
      kept.push({ device, point })
    }
    if (kept.length === 0) {
      const why = dropped.length === 0 ? 'no values were given' : dropped.slice(0, 5).join('; ')
      throw new Refusal(
        'Validation',
        `Expected a value for an attribute of the device, got none that can be stored: ${why}`,
      )
    }
    await app.telemetry.append(kept.map(({ point }) => point))
    if (stateReported) for (const one of kept) await stateReported(one)
  }
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
