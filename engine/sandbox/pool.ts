import { checkScript } from './check.ts'
import { crashed, memoryError, rejection, replyToResult, syntaxError, timeoutError } from './failure.ts'
import { openLine } from './line.ts'
import { chooseSeat, type Pending, type Seat, sit } from './seats.ts'
import { type LogLine, pack } from './wire.ts'
import { openWorker, type WorkerExit, type WorkerReply } from './worker.ts'

/** One function node at work. */
export interface FunctionCall {
  script: string
  /** What the script sees as `payload`. */
  value: unknown
  /** Calls of one application share an isolate and wait in one line. */
  application: string
  /** From the start of the script; time in the line is not counted. Default: that of the pool. */
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

const startFailuresAllowed = 3
const checkedScripts = 500

/** Opens a pool; no child starts before `warm` or the first call. The caller closes it. */
export function openFunctionPool(options: FunctionPoolOptions = {}): FunctionPool {
  const { children = 2, timeoutMs = 5_000, memoryMb = 128, resultLimitBytes = 5 * 1024 * 1024 } = options
  const { idleMs = 30_000 } = options
  const seats = new Set<Seat>()
  const line = openLine<Pending>()
  const checked = new Map<string, ReturnType<typeof checkScript>>()
  let nextId = 1
  let startFailures = 0
  let closed = false
  const empty = Promise.withResolvers<void>()
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
      for (const call of line.clear()) call.reject(crashed('The server is stopping'))
      for (const seat of seats) {
        for (const call of seat.calls.values()) call.reject(crashed('The server is stopping'))
        seat.worker.kill()
      }
      if (seats.size === 0) empty.resolve()
      await empty.promise
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
      line.add(call, 'last')
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

  function unqueue(call: Pending): void {
    line.remove(call)
    for (const seat of seats) if (seat.reservedFor === call) seat.reservedFor = undefined
  }

  /** Gives waiting calls to children, one of each application in turn, until nothing fits. */
  function pump(): void {
    let given = true
    while (given && !closed) {
      given = false
      for (const call of line.heads()) {
        const choice = chooseSeat(seats, call, children)
        if (choice === 'start') startSeat()
        else if (choice?.reserve) choice.seat.reservedFor = call
        else if (choice) {
          unqueue(call)
          take(choice.seat, call)
          given = true
        }
      }
    }
  }

  function take(seat: Seat, call: Pending): void {
    const { id, application, script, json, dates } = call
    sit(seat, call)
    seat.worker.send({ id, application, script, json, dates, timeoutMs: call.timeoutMs })
  }

  /** Ends the children that nobody has needed for a while, and starts one that is small again. */
  function rest(): void {
    const used = [...seats].filter(({ warm }) => warm.size > 0)
    if (used.length === 0 || line.heads().length > 0 || used.some(({ calls }) => calls.size > 0)) return
    for (const seat of used) seat.worker.kill()
    if (seats.size === used.length) startSeat()
  }

  function startSeat(): void {
    try {
      const worker = openWorker(
        { memoryMb, resultLimitBytes },
        {
          onReady() {
            startFailures = 0
            pump()
          },
          onReply: (reply) => settle(seat, reply),
          onExit: (exit) => leave(seat, exit),
        },
      )
      const seat: Seat = { worker, calls: new Map(), reservedFor: undefined, exclusive: false, warm: new Set() }
      seats.add(seat)
    } catch (error) {
      // The system refuses another process: this comes from events too, where nobody would catch it.
      refuseAll((error as Error).message)
    }
  }

  function refuseAll(cause: string): void {
    const error = crashed('The process for function nodes does not start', cause)
    for (const call of line.clear()) call.reject(error)
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
      if (seats.size === 0) empty.resolve()
      return
    }
    for (const call of seat.calls.values()) if (!call.settled) again(call, exit)
    if (!seat.worker.ready && ++startFailures >= startFailuresAllowed) {
      startFailures = 0
      refuseAll(exit.stderr)
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
    line.add(call, 'first')
  }
}
