import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { guardChild } from './guard.ts'
import { realm } from './realm.ts'
import { realmBytes } from './realm-bytes.ts'
import { realmText } from './realm-text.ts'
import { realmUrl } from './realm-url.ts'
import type { Packed } from './wire.ts'

/** One call as a child gets it. */
export interface WorkerCall extends Packed {
  id: number
  application: string
  script: string
  timeoutMs: number
}

/** What a child says of one call: the realm's JSON text, or why there is none. */
export type WorkerReply =
  | { id: number; text: string }
  | { id: number; failure: 'timeout' | 'memory' | 'rejected'; name: string; message: string }

/** Why a child is gone, and the calls that were in it. `culprit` is the one call known to be the cause. */
export interface WorkerExit {
  reason: 'timeout' | 'memory' | 'crash'
  culprit: number | undefined
  stderr: string
}

export interface WorkerEvents {
  onReady(): void
  onReply(reply: WorkerReply): void
  /** Comes once, last, after the process has ended. */
  onExit(exit: WorkerExit): void
}

export interface Worker {
  readonly ready: boolean
  /** A killed child takes no more calls; `onExit` is on its way. */
  readonly killed: boolean
  /** Hands over a call and watches it: past its time, and some, the child is killed. */
  send(call: WorkerCall): void
  /** Asks the child to drop the isolate of a call; kills it when it does not answer soon. */
  cancel(id: number): void
  kill(): void
}

export interface WorkerSettings {
  memoryMb: number
  resultLimitBytes: number
}

/** Isolates that an idle child keeps, one an application; the one used longest ago goes first. */
export const maxIsolates = 8

/** The child ends a loop by itself at `timeoutMs`; this much later it is taken to hang. */
const graceMs = 400
const watchEveryMs = 50
/** What an idle isolate may hold, and what its allocator keeps. */
const idleIsolateMb = 48
const outOfMemory = 86
/**
 * Each call leaves a context behind. With small bounds they are collected early and in little space: 11 MB less in a child
 * that has worked, at the same processor time for a call. isolated-vm does not load beside the snapshot of Node.
 */
const nodeFlags = ['--no-node-snapshot', '--max-semi-space-size=1', '--initial-old-space-size=4']
const childPath = fileURLToPath(new URL('./child.mjs', import.meta.url))
const source = `(() => { 'use strict'; return (${realm})(() => (${realmBytes})((${realmText})()), ${realmUrl}) })()`

/**
 * Starts one child process for function nodes and watches it from outside: its calls' time and its memory. It gets no
 * environment but the time zone (UTC). An idle one does not keep this process alive; it ends with this process.
 */
export function openWorker(settings: WorkerSettings, events: WorkerEvents): Worker {
  const child = fork(childPath, [], {
    execArgv: nodeFlags,
    env: { TZ: 'UTC' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const unguard = child.pid === undefined ? undefined : guardChild(child.pid)
  const deadlines = new Map<number, NodeJS.Timeout>()
  let ready = false
  let killed = false
  let ended = false
  let reason: WorkerExit['reason'] = 'crash'
  let culprit: number | undefined
  let stderr = ''
  let rssAtStartMb = 0
  let watch: NodeJS.Timeout | undefined

  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-2_000)
  })
  ;(child.stderr as Socket | null)?.unref()
  child.on('message', (message: WorkerReply | { kind: 'ready' }) => {
    if (killed) return
    if ('kind' in message) {
      ready = true
      rssAtStartMb = rssMbOf(child) ?? 0
      hold()
      events.onReady()
    } else if (deadlines.has(message.id)) {
      clearTimeout(deadlines.get(message.id))
      deadlines.delete(message.id)
      hold()
      events.onReply(message)
    }
  })
  child.on('exit', (code) => end(code))
  // Without a process there is no exit event; a failed send or kill is followed by one.
  child.on('error', (error) => {
    stderr += error.message
    if (child.pid === undefined) end(null)
  })
  child.send({ kind: 'init', realm: source, memoryMb: settings.memoryMb, maxIsolates }, () => undefined)

  function end(code: number | null): void {
    if (ended) return
    ended = true
    killed = true
    unguard?.()
    for (const timer of deadlines.values()) clearTimeout(timer)
    clearInterval(watch)
    if (code === outOfMemory) reason = 'memory'
    if (reason === 'memory' && deadlines.size === 1) culprit = [...deadlines.keys()][0]
    events.onExit({ reason, culprit, stderr })
  }

  function kill(why: WorkerExit['reason'] = 'crash', id?: number): void {
    if (killed) return
    killed = true
    reason = why
    culprit = id
    child.ref()
    child.kill('SIGKILL')
  }

  /** Only a child at work, or one that is starting, keeps this process alive; only one at work is watched. */
  function hold(): void {
    const busy = deadlines.size > 0
    if (busy) {
      child.ref()
      child.channel?.ref()
      watch ??= setInterval(checkMemory, watchEveryMs)
    } else {
      child.unref()
      child.channel?.unref()
      clearInterval(watch)
      watch = undefined
    }
  }

  /** The isolates watch their heaps; this sees what lies outside of them. */
  function checkMemory(): void {
    const limitMb = rssAtStartMb + settings.memoryMb * (deadlines.size + 1) + maxIsolates * idleIsolateMb
    if ((rssMbOf(child) ?? 0) > limitMb) kill('memory')
  }

  return {
    get ready() {
      return ready
    },
    get killed() {
      return killed
    },
    send(call) {
      const timer = setTimeout(() => kill('timeout', call.id), call.timeoutMs + graceMs)
      deadlines.set(call.id, timer)
      hold()
      child.send({ kind: 'run', ...call, limit: settings.resultLimitBytes }, () => undefined)
    },
    cancel(id) {
      if (!deadlines.has(id)) return
      clearTimeout(deadlines.get(id))
      deadlines.set(
        id,
        setTimeout(() => kill('timeout', id), graceMs),
      )
      child.send({ kind: 'cancel', id }, () => undefined)
    },
    kill,
  }
}

/** Resident memory of a process, in MB, where the system tells (Linux); elsewhere the child watches itself. */
function rssMbOf(child: ChildProcess): number | undefined {
  try {
    return (Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1_048_576
  } catch {
    // No /proc, or the process has just ended: its exit event says so.
    return undefined
  }
}
