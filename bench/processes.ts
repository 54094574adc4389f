import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const root = join(import.meta.dirname, '..')

export interface Started {
  pid: number
  port: number
  /** Milliseconds of processor time that it and all below it have used. */
  cpuMs(): number
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Arguments of this Node. */
  args: string[]
  env?: Record<string, string>
  cwd?: string
  /** On any core, beside what else it needs; default on the servers' own. */
  anywhere?: boolean
}

/** True when servers get one core and the load another. */
export const pinned = canPin()

/** Keeps this process, which makes the load, off the core of the servers. */
export function pinLoad(): void {
  if (pinned) execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' })
}

/** Starts a server on core 0; resolves when it prints `ready http://host:port`. */
export async function startServer(options: StartOptions): Promise<Started> {
  const child = spawnPinned(options)
  const port = await portOf(child)
  return startedOf(child, port)
}

/** Starts a server that is told its port and says nothing; resolves when it was started, not when it answers. */
export async function startSilent(options: (port: number) => Promise<StartOptions>): Promise<Started> {
  const port = await freePort()
  const child = spawnPinned(await options(port))
  child.stdout?.resume()
  return startedOf(child, port)
}

/** Resident and proportional memory of a process and all below it, in MB, and how many they are. */
export function memoryOf(pid: number): { rssMb: number; pssMb: number; processes: number } {
  const sums = { rssMb: 0, pssMb: 0, processes: 0 }
  for (const one of [pid, ...descendants(pid)]) {
    const text = readFileSync(`/proc/${one}/smaps_rollup`, 'utf8')
    const mb = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024
    sums.rssMb += mb('Rss')
    sums.pssMb += mb('Pss')
    sums.processes += 1
  }
  return sums
}

function startedOf(child: ChildProcess, port: number): Started {
  const pid = child.pid!
  return { pid, port, cpuMs: () => cpuMsOf(pid), stop: () => stop(child) }
}

function cpuMsOf(pid: number): number {
  const ticks = [pid, ...descendants(pid)].map((one) => {
    // The name of the program stands in brackets and may hold spaces.
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, one) => sum + one * 10, 0)
}

function spawnPinned({ args, env, cwd = root, anywhere = false }: StartOptions): ChildProcess {
  // taskset becomes Node, so the process id is that of the server.
  const [command, ...before] = pinned && !anywhere ? ['taskset', '-c', '0', process.execPath] : [process.execPath]
  const inherited = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', NODE_ENV: 'production' }
  const child = spawn(command!, [...before, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = () => child.kill('SIGKILL')
  // A bench that is broken off leaves nothing behind that would disturb the next one.
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

async function portOf(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout! })
  for await (const line of lines) {
    const port = /^ready http:\/\/[^/]*:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout!.resume()
    return Number(port)
  }
  throw new Error(`Expected a line "ready http://...", got the end of ${child.spawnargs.join(' ')}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(late)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('Expected the port of a listening socket')
  return address.port
}

function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap((child) => [child, ...descendants(child)])
}

function canPin(): boolean {
  if (availableParallelism() < 2) return false
  try {
    execFileSync('taskset', ['-c', '1', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    // No such command, or not allowed here: the figures are noisier, and say so.
    return false
  }
}
