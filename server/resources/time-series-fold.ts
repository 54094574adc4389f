import type { StateValue } from '../store/port.ts'

/** Takes points of one bucket, in any order, and gives one value. */
export interface Fold {
  add(time: number, value: StateValue): void
  /** Undefined when no point counted. `chosenAt`: the time of the point whose value it is. */
  result(): { value: StateValue; chosenAt?: number } | undefined
}

export type FoldName = 'FIRST' | 'LAST' | 'COUNT' | 'MAX' | 'MIN' | 'MEDIAN' | 'MEAN' | 'SUM' | 'STD_DEV'

/** Folds by name. Those of numbers skip texts; true and false count as 1 and 0. */
export const folds: Record<FoldName, () => Fold> = {
  FIRST: () => chosen((time, before) => time < before.chosenAt),
  LAST: () => chosen((time, before) => time >= before.chosenAt),
  MIN: () => chosenNumber((number, before) => number < before),
  MAX: () => chosenNumber((number, before) => number > before),
  COUNT() {
    let count = 0
    return { add: () => void count++, result: () => (count === 0 ? undefined : { value: count }) }
  },
  SUM: () => overNumbers(({ sum }) => sum),
  MEAN: () => overNumbers(({ count, sum }) => sum / count),
  STD_DEV: () => overNumbers(({ count, squares }) => Math.sqrt(squares / count)),
  MEDIAN() {
    const numbers: number[] = []
    return {
      add(_, value) {
        const number = toNumber(value)
        if (number !== undefined) numbers.push(number)
      },
      result: () => (numbers.length === 0 ? undefined : { value: medianOf(numbers) }),
    }
  },
}

/** True and false are 1 and 0; texts are no numbers. */
function toNumber(value: StateValue): number | undefined {
  return typeof value === 'string' ? undefined : Number(value)
}

function chosen(better: (time: number, before: { chosenAt: number }) => boolean): Fold {
  let best: { value: StateValue; chosenAt: number } | undefined
  return {
    add(time, value) {
      if (best === undefined || better(time, best)) best = { value, chosenAt: time }
    },
    result: () => best,
  }
}

function chosenNumber(better: (number: number, before: number) => boolean): Fold {
  let best: { value: number; chosenAt: number } | undefined
  return {
    add(time, value) {
      const number = toNumber(value)
      if (number === undefined) return
      if (best === undefined || better(number, best.value)) best = { value: number, chosenAt: time }
    },
    result: () => best,
  }
}

interface Moments {
  count: number
  sum: number
  mean: number
  /** Sum of the squared distances from the mean. */
  squares: number
}

// Welford: a sum of squares would lose small deviations of large numbers.
function overNumbers(resultOf: (moments: Moments) => number): Fold {
  const moments = { count: 0, sum: 0, mean: 0, squares: 0 }
  return {
    add(_, value) {
      const number = toNumber(value)
      if (number === undefined) return
      moments.count += 1
      moments.sum += number
      const distance = number - moments.mean
      moments.mean += distance / moments.count
      moments.squares += distance * (number - moments.mean)
    },
    result: () => (moments.count === 0 ? undefined : { value: resultOf(moments) }),
  }
}

function medianOf(numbers: number[]): number {
  const sorted = Float64Array.from(numbers).sort()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
