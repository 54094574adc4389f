import { toScalar } from './cells.ts'
import { attributeKey, attributeName, type Entry, extraOf } from './mongo-buckets.ts'
import { type Connection, isDuplicate } from './mongo-client.ts'
import { keyOf, newStamp } from './mongo-document.ts'
import type { LastValue, StatePoint, StateValue } from './port.ts'

interface StoredLast {
  _id: string
  app: string
  device: string
  stamp: string
  /** By attribute: time, value and what came along. */
  a: Record<string, { t: number; v: StateValue; e?: string }>
}

/** The last values of the devices of one application. */
export interface LastValues {
  get(deviceIds: readonly string[], attributes?: readonly string[]): Promise<Map<string, Record<string, LastValue>>>
  /** Takes those that are not older than what is there. */
  put(points: readonly StatePoint[]): Promise<void>
  /** `find` gives what is left of an attribute whose last value `gone` is true of. */
  replace(
    device: string,
    gone: (name: string, time: number) => boolean,
    find: (name: string) => Promise<Entry | undefined>,
  ): Promise<void>
}

/** Written by exchange: who finds that another one was faster reads again. */
export function openLastValues(connection: Connection, appKey: string): LastValues {
  const table = () => connection.collection<StoredLast>('lastValues')
  const idOf = (device: string) => keyOf(appKey, 'last', device)

  async function read(devices: readonly string[]): Promise<Map<string, StoredLast>> {
    const ids = devices.map(idOf)
    const found = table().find({ _id: ids.length === 1 ? ids[0]! : { $in: ids } })
    const last = new Map<string, StoredLast>()
    for await (const one of found) last.set(one.device, one)
    return last
  }

  /** False when another one was faster. */
  async function exchange(device: string, before: StoredLast | undefined, a: StoredLast['a']): Promise<boolean> {
    const next = { app: appKey, device, stamp: newStamp(), a }
    const _id = idOf(device)
    if (before !== undefined) return (await table().replaceOne({ _id, stamp: before.stamp }, next)).matchedCount > 0
    try {
      await table().insertOne({ _id, ...next })
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  return {
    async get(deviceIds, attributes) {
      const wanted = attributes === undefined ? undefined : new Set(attributes)
      const values = new Map<string, Record<string, LastValue>>()
      const devices = [...new Set(deviceIds)]
      if (devices.length === 0) return values
      for (const [device, { a }] of await read(devices)) {
        const entries = Object.entries(a).map(([key, last]) => [attributeName(key), toLast(last)] as const)
        const named = entries.filter(([name]) => wanted?.has(name) ?? true)
        if (named.length > 0) values.set(device, Object.fromEntries(named))
      }
      return values
    },

    async put(points) {
      let left = newestOf(points)
      while (left.size > 0) {
        const known = await read([...left.keys()])
        const again: typeof left = new Map()
        for (const [device, values] of left) {
          const before = known.get(device)
          const newer = Object.entries(values).filter(([key, { t }]) => t >= (before?.a[key]?.t ?? t))
          if (newer.length === 0) continue
          const done = await exchange(device, before, { ...before?.a, ...Object.fromEntries(newer) })
          if (!done) again.set(device, values)
        }
        left = again
      }
    },

    async replace(device, gone, find) {
      for (;;) {
        const before = (await read([device])).get(device)
        if (before === undefined) return
        const a = { ...before.a }
        const affected = Object.keys(a).filter((key) => gone(attributeName(key), a[key]!.t))
        if (affected.length === 0) return
        for (const key of affected) {
          const left = await find(attributeName(key))
          if (left === undefined) delete a[key]
          else a[key] = { t: left.time, v: left.value, ...(left.extra === undefined ? {} : { e: left.extra }) }
        }
        if (await exchange(device, before, a)) return
      }
    },
  }
}

/** By device and attribute the value with the greatest time, the later one of two with the same. */
function newestOf(points: readonly StatePoint[]): Map<string, StoredLast['a']> {
  const newest = new Map<string, StoredLast['a']>()
  for (const point of points) {
    const e = extraOf(point)
    for (const [name, given] of Object.entries(point.data)) {
      const v = toScalar(given)
      if (v === null) continue
      const values = newest.get(point.deviceId) ?? {}
      newest.set(point.deviceId, values)
      const key = attributeKey(name)
      if (point.time < (values[key]?.t ?? point.time)) continue
      values[key] = { t: point.time, v, ...(e === undefined ? {} : { e }) }
    }
  }
  return newest
}

function toLast({ t, v, e }: StoredLast['a'][string]): LastValue {
  const last: LastValue = { value: v, time: t }
  if (e === undefined) return last
  const { meta, relay } = JSON.parse(e) as Pick<StatePoint, 'meta' | 'relay'>
  if (relay !== undefined) Object.assign(last, { relayId: relay.id, relayType: relay.type })
  if (meta !== undefined) last.meta = meta
  return last
}
