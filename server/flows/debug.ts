import { EventEmitter } from 'node:events'
import { FlowError } from '../../engine/errors.ts'
import type { Visit } from '../../engine/node.ts'
import { copyValue, type Payload, parsePath, sizeOf } from '../../engine/payload.ts'
import type { DebugLevel, DebugLog } from '../../nodes/services/run.ts'
import type { Scope } from '../store/scope.ts'

/** One entry of the debug log (reference: flow-format 3.9). Its value is redacted and never above 256 KB. */
export interface DebugMessage {
  runId: string
  scope: Scope
  flowId: string
  flowName: string
  flowVersion: string
  time: number
  /** The flow is a custom node: the nodes that called it, outermost first. */
  callers?: { flowId: string; nodeId: string }[]
  nodeId: string
  level: DebugLevel
  message: string
  value: unknown
  path: Visit[]
}

export interface DebugStream {
  /** The log that one run writes to. */
  forRun(run: Pick<DebugMessage, 'runId' | 'scope' | 'flowId' | 'flowName' | 'flowVersion' | 'callers'>): DebugLog
  /** Hears every message from now on; call the result to stop. */
  listen(hear: (message: DebugMessage) => void): () => void
}

const MOST_BYTES = 256 * 1024

/** Debug messages, handed to whoever listens at that moment; without a listener a message costs nothing. */
export function openDebugStream(now: () => number): DebugStream {
  const emitter = new EventEmitter<{ message: [DebugMessage] }>()
  emitter.setMaxListeners(0)
  return {
    forRun: (run) => ({
      write({ node, level, message, value, path = '' }) {
        if (emitter.listenerCount('message') === 0) return
        const snapshot = snapshotOf(value, path)
        const entry = { ...run, time: now(), nodeId: node.id, level, message, value: snapshot, path: node.trail() }
        emitter.emit('message', entry)
      },
    }),
    listen(hear) {
      emitter.on('message', hear)
      return () => emitter.off('message', hear)
    },
  }
}

function snapshotOf(value: unknown, path: string): unknown {
  if (sizeOf(value, MOST_BYTES) > MOST_BYTES) return 'Value omitted due to size'
  try {
    // Under its key: that tells whether a value is a secret.
    const name = String(parsePath(path)?.at(-1) ?? '')
    return redact({ [name]: copyValue(value) })[name]
  } catch (error) {
    if (error instanceof FlowError) return `Value omitted: ${error.message}`
    throw error
  }
}

const SECRET_KEY =
  /^(authorization|cookie|set-cookie|.*(password|passphrase|secret|token|credential|jwt|(api|private|access)[-_]?key).*)$/i
// Keys of users and logins that tell when, not what.
const OPEN_KEY = /^(passwordLastUpdated|tokenCutoff)$/
const MASK = '*****REDACTED*****'

/** Masks, in place, values under keys that tell of a secret; lists of them, too. */
export function redact<T>(value: T): T {
  if (Array.isArray(value)) value.forEach(redact)
  else if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    for (const key of Object.keys(value)) {
      const inner = (value as Payload)[key]
      if (SECRET_KEY.test(key) && !OPEN_KEY.test(key)) (value as Payload)[key] = masked(inner)
      else redact(inner)
    }
  }
  return value
}

function masked(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'number') return MASK
  return Array.isArray(value) ? value.map(masked) : redact(value)
}
