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
  'limit.depth': 'Custom nodes are nested too deep',
  'document.custom-node': 'A custom node has no start, no end or too many of them, or an input that cannot be used',
  'flow.refused': 'A virtual button of a flow cannot be pressed, or flows start each other without an end',
  'custom-node.missing': 'A flow asks for a custom node, or a version of one, that does not exist',
  'custom-node.recursion': 'A custom node calls itself, directly or through others',
  'custom-node.end': 'A custom node ends at an output that it cannot have',
  'loop.too-long': 'A loop has more items than it may',
  'value.too-large':
    'A stored value is larger than 16 KB, its key is too long, or all values of a flow are too many to read at once',
  'value.not-number': 'A stored value to add to is not a number',
  'reply.too-large': 'The body of a webhook reply is larger than it may be',
  'reply.unsupported': 'A reply of a type that this server does not give',
  'config.missing': 'A required setting is absent',
  'config.choice': 'A setting is not one of the words that it may be',
  'config.type': 'A setting is of the wrong type, or renders to a value of the wrong type',
  'config.empty': 'A required template renders to nothing',
  'function.syntax': 'The script of a function node does not compile',
  'function.input': 'A value is too large for a function node, or JSON cannot hold it',
  'function.error': 'The script of a function node threw',
  'function.result': 'A function node left a value that is too large, that JSON cannot hold, or a promise',
  'function.timeout': 'The script of a function node ran longer than it may',
  'function.memory': 'The script of a function node wanted more memory than it may have',
  'function.crashed': 'The script of a function node ended its process',
  'template.syntax': 'A template cannot be parsed, or calls a helper that does not exist',
  'template.limit': 'A template does more work, or makes more text, than a render may',
  'template.not-json': 'The text of a JSON template is not JSON',
  'template.helper': 'A helper got an argument that it cannot use, such as a bad number format',
  'expression.syntax': 'An expression cannot be parsed',
  'view.missing': 'The page or layout to render does not exist',
  'reply.header': 'A reply has a header that HTTP does not allow or that only the server sets',
  'reply.cookie': 'A reply has a cookie whose name or path HTTP does not allow',
  'reply.location': 'A redirect renders to nothing',
  'reply.body': 'JSON cannot hold the body of a reply, or a static reply is of an unknown type',
  'view.layout': 'A layout does not hold {{page}} exactly once',
  'error.thrown': 'A Throw Error node was reached',
  'value.too-deep': 'A value is nested too deep',
  'value.not-finite': 'A number that is to be stored is not finite',
  'text.too-long': 'A text that a node would make is longer than it may be',
  'array.source': 'A list was expected',
  'array.too-long': 'A list that a node would make is longer than it may be',
  'object.source': 'An object, or a list, was expected',
  'object.input': 'The input of an operation on an object is of the wrong type',
  'string.argument': 'An argument of a text operation is not usable',
  'date.unreadable': 'A value is not a date, or not in the given format',
  'date.argument': 'A time zone is not known',
  'id.argument': 'A kind of id, its length, namespace or value is not usable',
  'delay.range': 'A delay is not between 0 and 59 seconds',
  'command.refused': 'A command cannot be sent: its name or payload is not valid',
  'mqtt.refused': 'A message cannot be published: its topic or broker is not allowed, or it is too large',
  'series.refused': 'A question for values over time cannot be asked, or is too much work',
  'crypto.argument': 'An algorithm or encoding is not known, or data is too large',
  'encoding.source': 'A value is no text, or no base64',
  'throttle.rate': 'A rate that is not above 0',
  'time-range.argument': 'A time of day, a time zone or the days of a time range are not usable',
  'json.source': 'A text is not JSON',
  'markup.limit': 'A document is nested too deep, a selector takes too much work on it, or what is found is too much',
  'schema.invalid': 'A JSON Schema is not usable',
  'schema.work': 'Checking a value against a JSON Schema takes too much work',
  'function.payload': 'A function node left something other than an object as the whole payload',
  'http.url': 'A URL is not usable',
  'http.request': 'A request cannot be sent as it is',
  'http.credential': 'A stored credential is not for the URL that is asked',
  'credential.missing': 'A stored credential is asked for that does not exist, or is of another type',
  'credential.unreadable':
    'A stored credential cannot be read: the SECRET_KEY of the server is another one, or it was changed',
  'http.refused': 'A request would leave for an address that is not public',
  'http.redirects': 'A request was redirected too often, or to something other than a web address',
  'http.timeout': 'A request took longer than it may',
  'http.too-large': 'An answer is larger than it may be',
  'http.failed': 'A request got no answer',
  'service.failed': 'A service that a node asked, such as a database, refused it or cannot be reached',
} as const

export type FlowErrorCode = keyof typeof flowErrors

export interface FlowErrorDetails {
  stack?: string[]
  line?: number
  logs?: { level: string; text: string }[]
}

/**
 * A failure that the author of the flow can mend. `name` is the category that error triggers see
 * (`data.errorInfo.error.name`); `cause` is kept for the log and never shown to end users.
 */
export class FlowError extends Error {
  readonly code: FlowErrorCode
  /** Function nodes only: frames in the script (at most 20), the line (from 1), what was logged before. */
  readonly details: FlowErrorDetails | undefined
  constructor(
    code: FlowErrorCode,
    message: string,
    options: { cause?: unknown; name?: string; details?: FlowErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = options.name ?? 'FlowError'
    this.code = code
    this.details = options.details
  }
}
