import { FlowError } from './errors.ts'

/** What one render may cost. A render that wants more fails with `template.limit`. */
export interface TemplateLimits {
  /** Iterations, calls and printed values. Default 500,000. */
  steps: number
  /** Length of one result, in characters. Default 5,000,000. */
  outputChars: number
  /** All text made on the way to it, in characters. Default 20,000,000. */
  textChars: number
  /** Partials inside one another. Default 100. */
  depth: number
  /** Wall clock, looked at after each call and every few hundred steps: nobody else gets the thread before. Default 500. */
  milliseconds: number
}

export const defaultLimits: TemplateLimits = {
  steps: 500_000,
  outputChars: 5_000_000,
  textChars: 20_000_000,
  depth: 100,
  milliseconds: 500,
}

/** The account that one render spends from. Everything that an author can repeat draws on it. */
export interface Budget {
  readonly limits: TemplateLimits
  /** Spends `count` steps. Throws `template.limit`. */
  step(count: number): void
  /** Looks at the clock, after work whose size the steps do not tell. Throws `template.limit`. */
  look(): void
  /** Starts the clock at once; `rest` stops it, for an account that several renders spend from. Throws `template.limit`. */
  resume(): void
  rest(): void
  /** Spends `length` characters of text. Ask before making text that is longer than its parts. Throws `template.limit`. */
  text(length: number): void
  /** One partial deeper; `leave` undoes it. Throws `template.limit`. */
  enter(): void
  leave(): void
}

const STEPS_BETWEEN_CLOCKS = 512

/** A fresh account. The clock starts at the first look, so that a small render never asks for the time. */
export function openBudget(limits: TemplateLimits): Budget {
  let steps = 0
  let nextClock = STEPS_BETWEEN_CLOCKS
  let chars = 0
  let depth = 0
  let left = limits.milliseconds
  let deadline = 0
  const tooSlow = () => limitError(`more than ${limits.milliseconds} ms`, 'Loop over less data')
  const look = () => {
    if (steps > limits.steps) throw limitError(`more than ${limits.steps} steps`, 'Loop over less data')
    const now = performance.now()
    if (deadline === 0) deadline = now + left
    else if (now > deadline) throw tooSlow()
    nextClock = Math.min(steps + STEPS_BETWEEN_CLOCKS, limits.steps + 1)
  }
  nextClock = Math.min(nextClock, limits.steps + 1)
  return {
    limits,
    step(count) {
      steps += count
      if (steps >= nextClock) look()
    },
    look,
    resume() {
      if (left < 0) throw tooSlow()
      deadline = performance.now() + left
    },
    rest() {
      left = deadline - performance.now()
      deadline = 0
    },
    text(length) {
      chars += length
      if (length > limits.outputChars || chars > limits.textChars)
        throw limitError(`more than ${Math.min(limits.textChars, limits.outputChars)} characters of text`, 'Print less')
    },
    enter() {
      depth += 1
      if (depth > limits.depth) throw limitError(`partials nested more than ${limits.depth} deep`, 'End the recursion')
    },
    leave() {
      depth -= 1
    },
  }
}

/** A `template.limit` that says what was too much and what to do. */
export function limitError(what: string, advice: string, cause?: unknown): FlowError {
  return new FlowError(
    'template.limit',
    `Expected a template that renders within its limits, got ${what}. ${advice}.`,
    {
      cause,
    },
  )
}

/**
 * Runs `render` and turns what the JavaScript engine throws for too deep a call or too long a string into
 * `template.limit`.
 */
export function withinLimits<T>(render: () => T): T {
  try {
    return render()
  } catch (error) {
    if (error instanceof RangeError && /call stack|string length|array length/i.test(error.message))
      throw limitError(`"${error.message}"`, 'Nest less or print less', error)
    throw error
  }
}
