import type { SeriesGroup } from '../../nodes/services/series.ts'

type SeriesPoint = SeriesGroup['points'][number]
type SeriesValue = SeriesPoint['data'][string]

/** Values of attributes, put together where their times are the same. */
export interface Rows {
  put(time: number, attribute: string, value: SeriesValue): void
  size(): number
  points(order: 'asc' | 'desc'): SeriesPoint[]
}

/** Empty. */
export function openRows(): Rows {
  const rows = new Map<number, [string, SeriesValue][]>()
  return {
    put(time, attribute, value) {
      const row = rows.get(time)
      if (row) row.push([attribute, value])
      else rows.set(time, [[attribute, value]])
    },
    size: () => rows.size,
    points(order) {
      const times = [...rows.keys()].sort((a, b) => (order === 'asc' ? a - b : b - a))
      // fromEntries makes own properties, whatever an attribute is called.
      return times.map((time) => ({ time, data: Object.fromEntries(rows.get(time)!) }))
    },
  }
}
