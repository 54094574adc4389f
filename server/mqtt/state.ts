import { hasMoreKeys } from '../../engine/json-text.ts'
import type { Payload } from '../../engine/payload.ts'
import { timeOf } from '../../nodes/device/state-reports.ts'
import type { StateReport } from '../../nodes/services/devices.ts'

/** More names than a message of state has: each of them would cost time before it is dropped. */
const mostKeys = 5_000

/**
 * Reads a message of state: `{ data, time?, meta? }` or a list of these. Undefined for anything else, such as text that is no JSON or
 * has more than 5,000 different keys.
 */
export function readState(
  text: string,
  { deviceId, now }: { deviceId: string; now: number },
): StateReport[] | undefined {
  if (hasMoreKeys(text, mostKeys)) return undefined
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  const list = Array.isArray(message) ? message : [message]
  if (list.length === 0 || !list.every((one) => isObject(one) && isObject(one.data))) return undefined
  return list.map(({ data, time, meta }) => ({
    deviceId,
    data: Object.fromEntries(Object.entries(data as Payload).filter(([, value]) => !isUndefined(value))),
    time: timeOf(unwrapped(time), now),
    ...(meta === undefined || isUndefined(meta) ? {} : { meta }),
  }))
}

/** Clients write `{ "$date": { "$numberLong": "..." } }` for large numbers. */
function unwrapped(time: unknown): unknown {
  const inner = isObject(time) ? time.$date : undefined
  return isObject(inner) ? inner.$numberLong : time
}

/** How clients write a value that is not there. */
function isUndefined(value: unknown): boolean {
  return isObject(value) && value.$undefined === true
}

function isObject(value: unknown): value is Payload {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
