import { FlowError, type FlowErrorCode } from '../errors.ts'
import { hasMoreKeys, MOST_JSON_KEYS } from '../json-text.ts'
import { type LogLine, logsOf, type RealmReply, unpack } from './wire.ts'

/** Turns the realm's text into what the script left. Throws the FlowError that the text tells of. */
export function replyToResult(text: string, limitBytes: number): { value: unknown; logs: LogLine[] } {
  // The text holds the value, the places of its Dates and the log: each has its own bound inside the realm.
  if (hasMoreKeys(text)) {
    const message = `Expected a function node to leave at most ${MOST_JSON_KEYS} different keys, got more. Make lists of what has names of its own.`
    throw new FlowError('function.result', message, { name: 'PayloadTooLarge' })
  }
  const reply = JSON.parse(text) as RealmReply
  const logs = logsOf(reply)
  if (reply.failure === undefined) {
    if (text.length * 3 > limitBytes && Buffer.byteLength(text) > 2 * limitBytes) throw tooLarge(limitBytes, logs)
    return { value: unpack(reply), logs }
  }
  if (reply.failure === 'too-large') throw tooLarge(limitBytes, logs)
  if (reply.failure === 'async') {
    const message =
      'Expected a value from a function node, got a promise. Function nodes are synchronous: return the value.'
    throw new FlowError('function.result', message, { name: 'FunctionNodeError', details: { logs } })
  }
  const stack = (reply.stack ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, 20)
  const line = /function-node:(\d+)/.exec(stack[0] ?? '')?.[1]
  const details = { stack: stack.map((frame) => frame.trim()), logs, ...(line ? { line: Number(line) } : {}) }
  const code: FlowErrorCode = reply.failure === 'result' ? 'function.result' : 'function.error'
  throw new FlowError(code, reply.message ?? '', { name: nameOf(reply.name), details })
}

/** `TypeError` becomes `FunctionNodeTypeError`; what is not a word becomes `FunctionNodeError`. */
function nameOf(name = ''): string {
  return `FunctionNode${/^\w{1,64}$/.test(name) ? name : 'Error'}`
}

function tooLarge(limitBytes: number, logs: LogLine[]): FlowError {
  const message = `Expected a function node to leave at most ${limitBytes} bytes of JSON, got more. Keep less on the payload.`
  return new FlowError('function.result', message, { name: 'PayloadTooLarge', details: { logs } })
}

/** A promise of the script that was rejected and that nobody handled. */
export function rejection(reply: { name: string; message: string }): FlowError {
  return new FlowError('function.error', reply.message, { name: nameOf(reply.name) })
}

export function syntaxError(problem: { message: string; line: number }): FlowError {
  const message = `${problem.message} (line ${problem.line})`
  return new FlowError('function.syntax', message, {
    name: 'FunctionNodeSyntaxError',
    details: { line: problem.line },
  })
}

export function timeoutError(timeoutMs: number): FlowError {
  const message = `Expected the script to end within ${timeoutMs} ms, it was still running. Look for a loop that does not end.`
  return new FlowError('function.timeout', message, { name: 'FunctionNodeTimeoutError' })
}

export function memoryError(memoryMb: number): FlowError {
  const message = `Expected the script to use at most ${memoryMb} MB of memory, it wanted more. Keep less data at once.`
  return new FlowError('function.memory', message, { name: 'FunctionNodeMemoryError' })
}

export function crashed(message: string, cause?: string): FlowError {
  return new FlowError('function.crashed', message, { name: 'FunctionNodeCrashError', cause })
}
