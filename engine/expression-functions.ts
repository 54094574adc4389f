import { includesValue } from './helpers/conditions.ts'
import { lengthOf, toNumber } from './helpers/values.ts'

const numeric =
  (run: (...numbers: number[]) => number) =>
  (...args: unknown[]) =>
    run(...args.map(toNumber))

/** The functions that an expression may call, by name. */
export const expressionFunctions: ReadonlyMap<string, (...args: unknown[]) => unknown> = new Map(
  Object.entries({
    abs: numeric(Math.abs),
    ceil: numeric(Math.ceil),
    floor: numeric(Math.floor),
    round: numeric(Math.round),
    trunc: numeric(Math.trunc),
    sqrt: numeric(Math.sqrt),
    exp: numeric(Math.exp),
    log: numeric(Math.log),
    log10: numeric(Math.log10),
    pow: numeric(Math.pow),
    min: numeric(Math.min),
    max: numeric(Math.max),
    sin: numeric(Math.sin),
    cos: numeric(Math.cos),
    tan: numeric(Math.tan),
    asin: numeric(Math.asin),
    acos: numeric(Math.acos),
    atan: numeric(Math.atan),
    atan2: numeric(Math.atan2),
    sinh: numeric(Math.sinh),
    cosh: numeric(Math.cosh),
    tanh: numeric(Math.tanh),
    asinh: numeric(Math.asinh),
    acosh: numeric(Math.acosh),
    atanh: numeric(Math.atanh),
    length: lengthOf,
    includes: includesValue,
  }),
)
