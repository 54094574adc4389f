import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach } from 'vitest'

export const root = join(import.meta.dirname, '../..')

const running = new Set<ChildProcess>()

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map((child) => once(child, 'close')))
})

/** A process of the command line, as a person starts it. Killed after the test. */
export interface Cli {
  child: ChildProcess
  out: string[]
  err: string[]
  /** The first line so far or yet to come that fits; rejects when the process ends without it. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** The port, once the process is ready. */
  port(): Promise<number>
  /** Exit code, or the name of the signal, once everything is read. */
  ended: Promise<number | NodeJS.Signals | null>
}

/** `folder` is where the server is installed; default this repository. */
export function cli(args: readonly string[], env: Record<string, string>, folder = root): Cli {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [join(folder, 'server/headgate.mjs'), ...args], {
    cwd: folder,
    env: { PATH, HOME, PORT: '0', REQUESTS_PER_SECOND: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const out: string[] = []
  const err: string[] = []
  const looks = new Set<() => void>()
  const read = (from: NodeJS.ReadableStream, to: string[]) =>
    createInterface(from).on('line', (line) => {
      to.push(line)
      for (const look of looks) look()
    })
  read(child.stdout!, out)
  read(child.stderr!, err)
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return (code ?? signal) as number | NodeJS.Signals | null
  })
  const line = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = [...out, ...err].map((one) => pattern.exec(one)).find((one) => one !== null)
        if (!found) return
        looks.delete(look)
        resolve(found)
      }
      looks.add(look)
      look()
      void ended.then((code) =>
        reject(new Error(`Ended (${code}) without ${pattern}:\n${[...out, ...err].join('\n')}`)),
      )
    })
  return { child, out, err, line, ended, port: async () => Number((await line(/^ready http:\/\/localhost:(\d+)$/))[1]) }
}
