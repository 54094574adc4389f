import { FlowError } from '../../engine/errors.ts'

/** One way in which a value does not fit, as pages print it: `data.voltage` and `is the wrong type`. */
export interface FieldError {
  field: string
  message: string
}

/** The state of one check: what was found, and the work that is left to do it. */
export interface Walk {
  errors: FieldError[]
  /** True while a part is only tried, as in `anyOf`: what does not fit there is not reported. */
  trying: boolean
  work: number
  depth: number
}

/** Whether a value fits; reports where it does not, unless the walk is only trying. */
export type Check = (value: unknown, field: string, walk: Walk) => boolean

const MOST_ERRORS = 100
const MOST_WORK = 5_000_000
const MOST_DEPTH = 300

export function openWalk(): Walk {
  return { errors: [], trying: false, work: MOST_WORK, depth: 0 }
}

/** Reports that a value does not fit; always false. */
export function fail(walk: Walk, field: string, message: string): false {
  if (!walk.trying && walk.errors.length < MOST_ERRORS) walk.errors.push({ field, message })
  return false
}

/** Counts work, in steps of about 50 nanoseconds. Throws `schema.work` when none is left. */
export function spend(walk: Walk, steps: number): void {
  walk.work -= steps
  if (walk.work >= 0) return
  throw new FlowError(
    'schema.work',
    'Checking this value against the schema takes too much work. Use fewer nested alternatives, or check a part of it.',
  )
}

/** Runs a part one level deeper. Throws `schema.work` for a schema that goes around in itself. */
export function deeper(walk: Walk, check: Check, value: unknown, field: string): boolean {
  if (walk.depth >= MOST_DEPTH) {
    throw new FlowError(
      'schema.work',
      `The schema leads more than ${MOST_DEPTH} levels deep. Does a "$ref" lead to itself?`,
    )
  }
  walk.depth++
  const fits = check(value, field, walk)
  walk.depth--
  return fits
}

/** Whether a value fits, without a report. */
export function fits(walk: Walk, check: Check, value: unknown, field: string): boolean {
  const before = walk.trying
  walk.trying = true
  const answer = deeper(walk, check, value, field)
  walk.trying = before
  return answer
}

/** The name of a property or item of a field. */
export function fieldOf(field: string, key: string | number): string {
  return `${field}.${key}`
}
