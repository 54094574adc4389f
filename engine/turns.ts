import { nextTick } from 'node:process'

const SLICE_MS = 10
/** The event loop takes one new connection a turn: after long work it turns freely for this part of the time. */
const BREATH = 0.05

/** When the first of this turn of the event loop asked; undefined before. */
let turnStarted: number | undefined
/** Until then nobody begins: the event loop turns freely. */
let breatheUntil = 0
/** Who waits for the thread, by group. */
const waiting = new Map<string, (() => void)[]>()
/** Milliseconds that each group has had since somebody began to wait. */
const used = new Map<string, number>()
let waking = false

/**
 * To be asked before work of unknown length. Undefined: go on, the event loop has been quick so far. Else a promise: work
 * that came before has kept the thread for long, so this comes in its turn, the group that has had least of it first, and
 * requests come in between. A group is whoever should not suffer from the others: an application.
 */
export function enterTurn(group: string): Promise<void> | undefined {
  const now = performance.now()
  if (turnStarted === undefined) {
    turnStarted = now
    setImmediate(endTurn)
  }
  const quick = now - turnStarted <= SLICE_MS && now >= breatheUntil
  return quick && !waiting.has(group) ? undefined : giveWay(group)
}

/** Lets others have the thread; resolves when it is this group's turn again. */
export function giveWay(group: string): Promise<void> {
  return new Promise((resolve) => {
    if (!waking) setImmediate(breathe)
    waking = true
    const line = waiting.get(group)
    if (line) line.push(resolve)
    else waiting.set(group, [resolve])
  })
}

function endTurn(): void {
  rest(turnStarted!)
  turnStarted = undefined
}

function rest(began: number): void {
  const now = performance.now()
  if (now - began > SLICE_MS) breatheUntil = now + (now - began) * BREATH
}

function wakeNext(began: number): void {
  const group = leastServed()
  const line = waiting.get(group)!
  if (line.length === 1) waiting.delete(group)
  const go = line.shift()!
  const now = performance.now()
  go()
  // Such a tick comes when all that was woken here, and all that follows from it, has come to a stop.
  queueMicrotask(() => nextTick(afterOne, group, now, began))
}

function afterOne(group: string, started: number, began: number): void {
  const now = performance.now()
  rest(began)
  used.set(group, (used.get(group) ?? 0) + now - started)
  if (waiting.size === 0) {
    used.clear()
    waking = false
  } else if (now - began > SLICE_MS) setImmediate(breathe)
  else wakeNext(began)
}

function breathe(): void {
  const now = performance.now()
  if (now < breatheUntil) setImmediate(breathe)
  else wakeNext(now)
}

function leastServed(): string {
  let least = Number.POSITIVE_INFINITY
  let found = ''
  for (const group of waiting.keys()) {
    const time = used.get(group) ?? 0
    if (time >= least) continue
    least = time
    found = group
  }
  return found
}
