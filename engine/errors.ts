/**
 * What an author of a flow can mend, by code. A code is `area.reason`; the text says when it is thrown.
 * A test checks that each code is thrown somewhere and that each thrown code stands here.
 */
export const flowErrors = {
  'path.syntax': 'A payload path cannot be parsed',
  'path.forbidden': 'A write to the whole payload or to __proto__, constructor or prototype',
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
