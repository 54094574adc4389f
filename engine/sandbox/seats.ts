import type { LogLine } from './wire.ts'
import { maxIsolates, type Worker, type WorkerCall } from './worker.ts'

/** A call on its way. */
export interface Pending extends WorkerCall {
  /** Children it may have taken down. */
  deaths: number
  /** Shares a child with nobody: it was in one that died. */
  alone: boolean
  settled: boolean
  resolve(result: { value: unknown; logs: LogLine[] }): void
  reject(error: unknown): void
}

/** A child process and who is in it. */
export interface Seat {
  worker: Worker
  calls: Map<number, Pending>
  /** Held free for a call that runs alone. */
  reservedFor: Pending | undefined
  exclusive: boolean
  /** Applications whose isolates it still has, as far as can be told from here; the latest last. */
  warm: Set<string>
}

/** Calls in one child at once, each of another application. */
const slots = 4

/**
 * The seat for a call; or one to hold free for it (`reserve`), a child to start, or undefined: wait. The least busy child
 * is taken first, then one that knows the application. A call that runs alone never closes the last open child.
 */
export function chooseSeat(
  seats: ReadonlySet<Seat>,
  call: Pending,
  children: number,
): { seat: Seat; reserve: boolean } | 'start' | undefined {
  const live = [...seats].filter(({ worker }) => !worker.killed)
  const lonely = live.filter((seat) => seat.exclusive || (seat.reservedFor && seat.reservedFor !== call)).length
  const mayBeAlone = lonely < Math.max(1, children - 1)
  let best: Seat | undefined
  for (const seat of live) {
    if (!seat.worker.ready || seat.exclusive || seat.calls.size >= slots) continue
    if (seat.reservedFor !== undefined && seat.reservedFor !== call) continue
    if (call.alone && (seat.calls.size > 0 || !mayBeAlone)) continue
    if ([...seat.calls.values()].some((other) => other.application === call.application)) continue
    if (!best || better(seat, best, call)) best = seat
  }
  if (best) return { seat: best, reserve: false }
  if (live.some(({ worker }) => !worker.ready)) return undefined
  if (seats.size < children) return 'start'
  if (!call.alone || !mayBeAlone || live.some((seat) => seat.reservedFor)) return undefined
  const [open] = live.filter((seat) => !seat.exclusive).sort((a, b) => a.calls.size - b.calls.size)
  return open && { seat: open, reserve: true }
}

function better(seat: Seat, than: Seat, { application }: Pending): boolean {
  if (seat.calls.size !== than.calls.size) return seat.calls.size < than.calls.size
  return seat.warm.has(application) && !than.warm.has(application)
}

/** Puts a call on a seat. */
export function sit(seat: Seat, call: Pending): void {
  seat.calls.set(call.id, call)
  seat.exclusive = call.alone
  seat.warm.delete(call.application)
  seat.warm.add(call.application)
  for (const oldest of seat.warm) if (seat.warm.size > maxIsolates) seat.warm.delete(oldest)
}
