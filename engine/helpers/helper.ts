import type { Budget } from '../budget.ts'

/** What `@name` reads inside a template. One is shared by all that is rendered for one loop. */
export interface Frame {
  readonly root: unknown
  /** Named arguments of the component that is rendered. */
  readonly args?: unknown
  key?: unknown
  index?: unknown
  first?: unknown
  last?: unknown
  readonly parent?: Frame
  /** State of whoever renders (the views), out of reach of templates. */
  readonly host?: unknown
}

/** The frame of what is rendered from the root itself. */
export function rootFrame(root: unknown, host?: unknown): Frame {
  return frameOf(root, undefined, undefined, host)
}

/** A frame below another one, with what it reads until it is changed; `args` replaces the arguments. */
export function innerFrame(parent: Frame, args = parent.args): Frame {
  const frame = frameOf(parent.root, args, parent, parent.host)
  frame.key = parent.key
  frame.index = parent.index
  frame.first = parent.first
  frame.last = parent.last
  return frame
}

// Always the same keys in the same order: frames are made often, and objects of one shape are read faster.
function frameOf(root: unknown, args: unknown, parent: Frame | undefined, host: unknown): Frame {
  return { root, args, key: undefined, index: undefined, first: undefined, last: undefined, parent, host }
}

/** One call of a helper. */
export interface Call {
  /** Named arguments; no prototype. */
  readonly hash: Readonly<Record<string, unknown>>
  /** `this` at the place of the call. */
  readonly context: unknown
  readonly frame: Frame
  readonly budget: Budget
  /** Renders the block; undefined where the helper is not called as a block. */
  readonly body?: (context: unknown, options?: { frame?: Frame; params?: readonly unknown[] }) => string
  /** Renders the part after `{{else}}`, or nothing. */
  readonly otherwise: (context: unknown) => string
}

/** A helper: a plain function of its arguments, and how it may be called. */
export interface Helper {
  /** `only`: a block is required (`each`). `both`: with a block it is a condition (`eq`). Default: a value. */
  readonly block?: 'only' | 'both'
  /** Fewest arguments, checked when a template is compiled. Default 0. */
  readonly least?: number
  /** Printed unescaped in double braces. Default false. */
  readonly raw?: boolean
  /** The value; the rendered text for a block of kind `only`. */
  run(args: readonly unknown[], call: Call): unknown
}

export type Helpers = Readonly<Record<string, Helper>>

/** A helper that only looks at its arguments. */
export function valueHelper(run: (...args: unknown[]) => unknown): Helper {
  return { run: (args) => run(...args) }
}

/** A helper that is a condition: a boolean as a value, and as a block its body or the part after `{{else}}`. */
export function condition(test: (args: readonly unknown[], call: Call) => boolean): Helper {
  return {
    block: 'both',
    run(args, call) {
      const met = test(args, call)
      if (call.body === undefined) return met
      return met ? call.body(call.context) : call.otherwise(call.context)
    },
  }
}
