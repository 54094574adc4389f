/**
 * What an author of a flow can mend, by code. A code is `area.reason`; the text says when it is thrown.
 * A test checks that each code is thrown somewhere and that each thrown code stands here.
 */
export const flowErrors = {
  'path.syntax': 'A payload path cannot be parsed',
  'path.forbidden': 'A write to the whole payload or to __proto__, constructor or prototype',
  'document.type': 'A part of a flow document is of the wrong type',
  'document.id': 'Two nodes of a flow have one id',
  'document.wire': 'An output leads to a node that does not exist, to itself, or across the border of a loop',
  'document.outputs': 'A node has more outputs than its type',
  'document.globals': 'A global has no valid key or is not JSON',
  'document.class': 'A node or trigger cannot be used in flows of this class',
  'node.unknown': 'A type of node or trigger is not known, or not supported here',
  'limit.time': 'A run took longer than it may',
  'limit.visits': 'A run visited more nodes than it may',
  'limit.branches': 'A run forked into more branches than it may',
  'limit.payload': 'A payload grew beyond its limit',
  'loop.too-long': 'A loop has more items than it may',
  'config.missing': 'A required setting is absent',
  'config.type': 'A setting is of the wrong type, or renders to a value of the wrong type',
  'config.empty': 'A required template renders to nothing',
} as const

export type FlowErrorCode = keyof typeof flowErrors

/**
 * A failure that the author of the flow can mend. `name` is the category that error triggers see
 * (`data.errorInfo.error.name`); `cause` is kept for the log and never shown to end users.
 */
export class FlowError extends Error {
  readonly code: FlowErrorCode
  constructor(code: FlowErrorCode, message: string, options: { cause?: unknown; name?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = options.name ?? 'FlowError'
    this.code = code
  }
}
