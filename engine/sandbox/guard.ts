import { type ChildProcess, spawn } from 'node:child_process'

/**
 * A shell that outlives this process by a moment: it reads the ids of the children, and when the pipe closes, however this
 * process ended, it kills those it read last. A child whose only thread hangs in a script would not notice otherwise.
 */
const script = `trap '' INT TERM HUP; ids=; while read -r line; do ids=$line; done; [ -z "$ids" ] || kill -9 $ids 2>/dev/null`

const ids = new Set<number>()
let shell: ChildProcess | undefined

/**
 * Has a child killed when this process dies. Call the result when the child has ended. Where there is no shell, children end by
 * themselves as soon as they notice.
 */
export function guardChild(pid: number): () => void {
  ids.add(pid)
  shell ??= openShell()
  tell()
  return () => {
    if (!ids.delete(pid)) return
    tell()
    if (ids.size > 0) return
    shell?.stdin?.end()
    shell = undefined
  }
}

function tell(): void {
  shell?.stdin?.write(`${[...ids].join(' ')}\n`)
}

function openShell(): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const opened = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], env: {} })
  opened.unref()
  const forget = () => {
    if (shell === opened) shell = undefined
  }
  opened.on('exit', forget)
  // No shell, or it went away between two writes: the next child opens another.
  opened.on('error', forget)
  opened.stdin?.on('error', forget)
  return opened
}
