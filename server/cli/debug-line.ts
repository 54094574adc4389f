import { inspect } from 'node:util'
import type { DebugMessage } from '../flows/debug.ts'

const mostLines = 40

/**
 * A debug message for a person: time, level, flow and node in one line, then the value, indented, at most 40 lines. Control
 * characters of what users sent are written out, so that they do not reach the terminal.
 */
export function debugLines({ time, level, flowName, nodeId, message, value }: DebugMessage): string[] {
  const clock = new Date(time).toLocaleTimeString('en-GB')
  const head = `${clock} ${level.padEnd(5)} ${flowName} > ${nodeId}${message === '' ? '' : `: ${message}`}`
  if (value === undefined) return [plain(head)]
  const shown = inspect(value, {
    depth: 6,
    maxArrayLength: 50,
    maxStringLength: 1_000,
    breakLength: 100,
    sorted: false,
  })
  const lines = shown.split('\n').map((line) => `         ${plain(line)}`)
  const left = lines.length - mostLines
  return [plain(head), ...lines.slice(0, mostLines), ...(left > 0 ? [`         ... ${left} more lines`] : [])]
}

function plain(line: string): string {
  return line.replace(/\p{Cc}/gu, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
