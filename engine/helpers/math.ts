import { type Helpers, valueHelper } from './helper.ts'
import { toNumber } from './values.ts'

/** Arithmetic: arguments are converted to numbers, what is not numeric gives NaN. */
export const mathHelpers: Helpers = {
  add: valueHelper((a, b) => toNumber(a) + toNumber(b)),
  subtract: valueHelper((a, b) => toNumber(a) - toNumber(b)),
  multiply: valueHelper((a, b) => toNumber(a) * toNumber(b)),
  divide: valueHelper((a, b) => toNumber(a) / toNumber(b)),
  ceil: valueHelper((value) => Math.ceil(toNumber(value))),
  floor: valueHelper((value) => Math.floor(toNumber(value))),
  max: { run: (args) => Math.max(...args.map(toNumber)) },
  min: { run: (args) => Math.min(...args.map(toNumber)) },
  scaleLinear: valueHelper((fromLow, fromHigh, toLow, toHigh, value) => {
    const share = (toNumber(value) - toNumber(fromLow)) / (toNumber(fromHigh) - toNumber(fromLow))
    return toNumber(toLow) + share * (toNumber(toHigh) - toNumber(toLow))
  }),
}
