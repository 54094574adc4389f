import { checkScript } from './check.ts'
import { crashed, memoryError, rejection, replyToResult, syntaxError, timeoutError } from './failure.ts'
import { type LogLine, pack } from './wire.ts'
import { maxIsolates, openWorker, type Worker, type WorkerCall, type WorkerExit, type WorkerReply } from './worker.ts'

/** One function node at work. */
export interface FunctionCall {
  script: string
  /** What the script sees as `payload`. */
  value: unknown
  /** Calls of one application share an isolate and wait in one line. */
  application: string
  /** Default: that of the pool. */
  timeoutMs?: number
  signal?: AbortSignal
}

export interface FunctionResult {
  value: unknown
  logs: LogLine[]
}

/** Runs the scripts of function nodes in child processes that may hang or die without harm to this one. */
export interface FunctionPool {
  /**
   * Runs a script: the answer is `value` as the script left it, or what the script returned, unless that is undefined.
   * Dates survive both ways, functions are dropped; nothing the script did to its world is there for the next call.
   * Rejects with a FlowError `function.*`, or with the signal's reason. A call whose child died is run again, once.
   */
  run(call: FunctionCall): Promise<FunctionResult>
  /** Starts the first child ahead of the first call; waits for nothing. */
  warm(): void
  /** Ends all children, then resolves; calls that still wait are rejected. */
  close(): Promise<void>
}

export interface FunctionPoolOptions {
  /** Most child processes (default 2); the second starts when the first is busy. */
  children?: number
  /** Default 5,000. */
  timeoutMs?: number
  /** Memory of one application's isolate (default 128). */
  memoryMb?: number
  /** Most bytes of JSON into and out of a script (default 5 MB). */
  resultLimitBytes?: number
  /** After this long without a call the children give way to one fresh one (default 30,000). */
  idleMs?: number
}

interface Pending extends WorkerCall {
  /** Children it may have taken down. */
  deaths: number
  /** Shares a child with nobody: it was in one that died. */
  alone: boolean
  settled: boolean
  resolve(result: FunctionResult): void
  reject(error: unknown): void
}

interface Seat {
  worker: Worker
  calls: Map<number, Pending>
  /** Held free for a call that runs alone. */
  reservedFor: Pending | undefined
  exclusive: boolean
  warm: Set<string>
}

/** Calls in one child at once, each of another application. */
const slots = 4
const startFailuresAllowed = 3
const checkedScripts = 500

/** Opens a pool; no child starts before `warm` or the first call. The caller closes it. */
export function openFunctionPool(options: FunctionPoolOptions = {}): FunctionPool {
  const { children = 2, timeoutMs = 5_000, memoryMb = 128, resultLimitBytes = 5 * 1024 * 1024 } = options
  const { idleMs = 30_000 } = options
  const seats = new Set<Seat>()
  /** Waiting calls by application; the application served last stands last. */
  const queues = new Map<string, Pending[]>()
  const checked = new Map<string, ReturnType<typeof checkScript>>()
  let nextId = 1
  let startFailures = 0
  let closed = false
  let onEmpty: (() => void) | undefined
  const idle = setTimeout(rest, idleMs)
  idle.unref()

  return {
    run,
    warm() {
      if (seats.size === 0 && !closed) startSeat()
    },
    async close() {
      closed = true
      clearTimeout(idle)
      for (const calls of queues.values()) for (const call of calls) call.reject(crashed('The server is stopping'))
      queues.clear()
      for (const seat of seats) {
        for (const call of seat.calls.values()) call.reject(crashed('The server is stopping'))
        seat.worker.kill()
      }
      if (seats.size > 0) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve
        })
      }
    },
  }

  async function run(given: FunctionCall): Promise<FunctionResult> {
    const { signal, script, application } = given
    if (closed) throw crashed('The server is stopping')
    signal?.throwIfAborted()
    const problem = check(script)
    if (problem) throw syntaxError(problem)
    const packed = pack(given.value, resultLimitBytes)
    return new Promise((resolve, reject) => {
      const stopListening = () => signal?.removeEventListener('abort', abort)
      const call: Pending = {
        ...packed,
        id: nextId++,
        application,
        script,
        timeoutMs: given.timeoutMs ?? timeoutMs,
        deaths: 0,
        alone: false,
        settled: false,
        resolve(result) {
          call.settled = true
          stopListening()
          resolve(result)
        },
        reject(error) {
          call.settled = true
          stopListening()
          reject(error)
        },
      }
      const abort = () => {
        call.reject(signal?.reason)
        unqueue(call)
        for (const seat of seats) if (seat.calls.has(call.id)) seat.worker.cancel(call.id)
        pump()
      }
      signal?.addEventListener('abort', abort, { once: true })
      enqueue(call, 'last')
      pump()
    })
  }

  function check(script: string): ReturnType<typeof checkScript> {
    if (checked.has(script)) return checked.get(script)
    if (checked.size >= checkedScripts) checked.clear()
    const problem = checkScript(script)
    checked.set(script, problem)
    return problem
  }

  function enqueue(call: Pending, place: 'first' | 'last'): void {
    const calls = queues.get(call.application)
    if (!calls) queues.set(call.application, [call])
    else if (place === 'first') calls.unshift(call)
    else calls.push(call)
  }

  function unqueue(call: Pending): void {
    const calls = queues.get(call.application)
    const at = calls?.indexOf(call) ?? -1
    if (at >= 0) calls?.splice(at, 1)
    if (calls?.length === 0) queues.delete(call.application)
    for (const seat of seats) if (seat.reservedFor === call) seat.reservedFor = undefined
  }

  /** Gives waiting calls to children, one of each application in turn, until nothing fits. */
  function pump(): void {
    let given = true
    while (given && !closed) {
      given = false
      for (const [application, calls] of [...queues]) {
        const call = calls[0] as Pending
        const seat = seatFor(call)
        if (!seat) continue
        unqueue(call)
        // Behind the others: an application with many calls gets its next one after theirs.
        if (queues.delete(application) && calls.length > 0) queues.set(application, calls)
        seat.calls.set(call.id, call)
        seat.exclusive = call.alone
        remember(seat, application)
        const { id, script, json, dates } = call
        seat.worker.send({ id, application, script, json, dates, timeoutMs: call.timeoutMs })
        given = true
      }
    }
  }

  function seatFor(call: Pending): Seat | undefined {
    const live = [...seats].filter(({ worker }) => !worker.killed)
    const lonely = live.filter((seat) => seat.exclusive || (seat.reservedFor && seat.reservedFor !== call)).length
    // One child at least stays open to everybody else.
    const mayBeAlone = lonely < Math.max(1, children - 1)
    let best: Seat | undefined
    for (const seat of live) {
      if (!seat.worker.ready || seat.exclusive || seat.calls.size >= slots) continue
      if (seat.reservedFor !== undefined && seat.reservedFor !== call) continue
      if (call.alone && (seat.calls.size > 0 || !mayBeAlone)) continue
      if ([...seat.calls.values()].some((other) => other.application === call.application)) continue
      if (!best || better(seat, best, call)) best = seat
    }
    if (best) return best
    const starting = live.some(({ worker }) => !worker.ready)
    if (seats.size < children && !starting) startSeat()
    else if (call.alone && mayBeAlone && !starting && !live.some((seat) => seat.reservedFor)) {
      const open = live.filter((seat) => !seat.exclusive).sort((a, b) => a.calls.size - b.calls.size)
      if (open[0]) open[0].reservedFor = call
    }
    return undefined
  }

  function better(seat: Seat, than: Seat, { application }: Pending): boolean {
    if (seat.calls.size !== than.calls.size) return seat.calls.size < than.calls.size
    return seat.warm.has(application) && !than.warm.has(application)
  }

  /** The applications whose isolates the child still has, as far as can be told from here. */
  function remember({ warm }: Seat, application: string): void {
    warm.delete(application)
    warm.add(application)
    for (const oldest of warm) if (warm.size > maxIsolates) warm.delete(oldest)
  }

  /** Ends the children that nobody has needed for a while, and starts one that is small again. */
  function rest(): void {
    const used = [...seats].filter(({ warm }) => warm.size > 0)
    if (used.length === 0 || queues.size > 0 || used.some(({ calls }) => calls.size > 0)) return
    for (const seat of used) seat.worker.kill()
    if (seats.size === used.length) startSeat()
  }

  function startSeat(): void {
    const seat: Seat = {
      calls: new Map(),
      reservedFor: undefined,
      exclusive: false,
      warm: new Set(),
      worker: openWorker(
        { memoryMb, resultLimitBytes },
        {
          onReady() {
            startFailures = 0
            pump()
          },
          onReply: (reply) => settle(seat, reply),
          onExit: (exit) => leave(seat, exit),
        },
      ),
    }
    seats.add(seat)
  }

  function settle(seat: Seat, reply: WorkerReply): void {
    const call = seat.calls.get(reply.id)
    seat.calls.delete(reply.id)
    if (seat.calls.size === 0) seat.exclusive = false
    if (!closed) idle.refresh()
    if (call && !call.settled) {
      if ('text' in reply) {
        try {
          call.resolve(replyToResult(reply.text, resultLimitBytes))
        } catch (error) {
          call.reject(error)
        }
      } else if (reply.failure === 'timeout') call.reject(timeoutError(call.timeoutMs))
      else if (reply.failure === 'memory') call.reject(memoryError(memoryMb))
      else call.reject(rejection(reply))
    }
    pump()
  }

  function leave(seat: Seat, exit: WorkerExit): void {
    seats.delete(seat)
    if (!closed) idle.refresh()
    if (closed) {
      if (seats.size === 0) onEmpty?.()
      return
    }
    for (const call of seat.calls.values()) if (!call.settled) again(call, exit)
    if (!seat.worker.ready && ++startFailures >= startFailuresAllowed) {
      startFailures = 0
      const error = crashed('The process for function nodes does not start', exit.stderr)
      for (const call of [...queues.values()].flat()) call.reject(error)
      queues.clear()
    }
    pump()
  }

  /** Runs a call of a child that died once more, by itself, unless it is known or very likely to be the cause. */
  function again(call: Pending, exit: WorkerExit): void {
    if (exit.culprit === call.id) {
      call.reject(exit.reason === 'timeout' ? timeoutError(call.timeoutMs) : memoryError(memoryMb))
      return
    }
    if (exit.culprit === undefined && ++call.deaths >= 2) {
      call.reject(
        exit.reason === 'memory' ? memoryError(memoryMb) : crashed('The script ended its process', exit.stderr),
      )
      return
    }
    call.alone = true
    enqueue(call, 'first')
  }
}
