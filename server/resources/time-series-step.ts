import { castState } from './cast.ts'
import type { Plan } from './time-series-plan.ts'
import { beginning, type Point, type SeriesReader } from './time-series-read.ts'

/**
 * How long an attribute held a value, as points: milliseconds for each piece of time in which its state is known, cut at the borders
 * of buckets. A value holds until the next report, the last one until the end of the range, but not beyond now.
 */
export async function* heldTimes(
  reader: SeriesReader,
  { deviceId, attribute }: { deviceId: string; attribute: string },
  plan: Plan & { start: number },
): AsyncIterable<Point[]> {
  const { start, end } = plan
  const before = { deviceId, attribute, start: beginning, end: start }
  let [held] = await reader.some(before, { limit: 1, newest: true })
  let since = start
  for await (const page of reader.pages({ deviceId, attribute, start, end })) {
    const pieces: Point[] = []
    for (const point of page) {
      addPieces(pieces, { held, from: since, to: point.time }, plan)
      held = point
      since = point.time
    }
    yield pieces
  }
  const rest: Point[] = []
  addPieces(rest, { held, from: since, to: Math.min(end, plan.now) }, plan)
  yield rest
}

function addPieces(
  pieces: Point[],
  { held, from, to }: { held: Point | undefined; from: number; to: number },
  { start, resolution, value }: Plan & { start: number },
): void {
  if (held === undefined) return
  const equal = castState(value, typeof held.value as 'number' | 'string' | 'boolean') === held.value
  for (let at = from; at < to; ) {
    const border = start + (Math.floor((at - start) / resolution) + 1) * resolution
    const until = Math.min(to, border)
    pieces.push({ time: at, value: equal ? until - at : 0 })
    at = until
  }
}
