import { takeTurns } from '../../nodes/bounds.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import type { AppStore, StateValue } from '../store/port.ts'

export interface Point {
  time: number
  value: StateValue
}

export interface PointRange {
  deviceId: string
  attribute: string
  start: number
  end: number
}

/** Before all times. */
export const beginning = -8.64e15

/** What one question may read, so that it neither holds up others nor goes on for ever. */
export interface SeriesReader {
  /** Every point of the range, oldest first, in pages. */
  pages(range: PointRange): AsyncIterable<Point[]>
  /** The `limit` oldest points of the range, or the newest, newest first. */
  some(range: PointRange, options: { limit: number; newest: boolean }): Promise<Point[]>
}

const mostPoints = 5_000_000
const pagePoints = 10_000
// A question to the store costs something, even if it finds nothing.
const pointsPerQuestion = 20

/** Lets other requests go on every 10 ms. Throws Refusal beyond 5,000,000 points, and the signal's reason when it aborts. */
export function openReader(app: AppStore, signal = new AbortController().signal): SeriesReader {
  const turn = takeTurns(signal)
  let left = mostPoints

  async function some(range: PointRange, { limit, newest }: { limit: number; newest: boolean }): Promise<Point[]> {
    await turn()
    const points = await app.telemetry.range({ ...range, limit, newest })
    left -= points.length + pointsPerQuestion
    if (left >= 0) return points
    const message = `Expected at most ${mostPoints} points to read, got more. Ask for fewer devices or a shorter duration.`
    throw new Refusal('Validation', message)
  }

  return {
    some,
    async *pages({ start, end, ...rest }) {
      for (let from = start; from < end; ) {
        const page = await some({ ...rest, start: from, end }, { limit: pagePoints, newest: false })
        yield page
        if (page.length < pagePoints) return
        from = page.at(-1)!.time + 1
      }
    },
  }
}
