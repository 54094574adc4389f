import type { Aggregation, StateValue } from './port.ts'

/** Folds values into one. Memory does not grow with their number. */
export interface Fold {
  add(time: number, value: StateValue): void
  /** Undefined when nothing counted. */
  result(): StateValue | undefined
}

/** Booleans count as 0 and 1 where numbers are needed, texts not at all. */
export function openFold(aggregation: Aggregation): Fold {
  if (aggregation === 'FIRST' || aggregation === 'LAST') return openEdge(aggregation === 'LAST')
  if (aggregation === 'COUNT') {
    let count = 0
    return {
      add() {
        count += 1
      },
      result: () => (count === 0 ? undefined : count),
    }
  }
  let count = 0
  let sum = 0
  // What was lost of the smaller one in each addition.
  let lost = 0
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  return {
    add(_time, given) {
      if (typeof given === 'string') return
      const value = Number(given)
      const next = sum + value
      lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
      sum = next
      count += 1
      least = Math.min(least, value)
      most = Math.max(most, value)
    },
    result() {
      if (count === 0) return undefined
      const total = sum + lost
      return { MEAN: total / count, SUM: total, MIN: least, MAX: most }[aggregation]
    },
  }
}

function openEdge(last: boolean): Fold {
  let edge: { time: number; value: StateValue } | undefined
  return {
    add(time, value) {
      if (edge === undefined || (last ? time > edge.time : time < edge.time)) edge = { time, value }
    },
    result: () => edge?.value,
  }
}
