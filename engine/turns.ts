import { nextTick } from 'node:process'

const SLICE_MS = 10

/** When the first of this turn of the event loop asked; undefined before. */
let turnStarted: number | undefined
/** Who waits for the thread, by group; the group served last stands last. */
const waiting = new Map<string, (() => void)[]>()
let waking = false

/**
 * To be asked before work of unknown length. Undefined: go on, the event loop has been quick so far. Else a promise: work
 * that came before has kept the thread for long, so this comes in its turn, one group after another, and requests come in
 * between. A group is whoever should not suffer from the others: an application.
 */
export function enterTurn(group: string): Promise<void> | undefined {
  const now = performance.now()
  if (turnStarted === undefined) {
    turnStarted = now
    setImmediate(endTurn)
  }
  return now - turnStarted <= SLICE_MS && !waiting.has(group) ? undefined : giveWay(group)
}

/** Lets others have the thread; resolves when it is this group's turn again. */
export function giveWay(group: string): Promise<void> {
  return new Promise((resolve) => {
    if (!waking) setImmediate(wake)
    waking = true
    const line = waiting.get(group)
    if (line) line.push(resolve)
    else waiting.set(group, [resolve])
  })
}

function endTurn(): void {
  turnStarted = undefined
}

function wake(): void {
  wakeNext(performance.now())
}

function wakeNext(began: number): void {
  const [group, line] = waiting.entries().next().value!
  const go = line.shift()!
  waiting.delete(group)
  if (line.length > 0) waiting.set(group, line)
  go()
  // Such a tick comes when all that was woken here, and all that follows from it, has come to a stop.
  queueMicrotask(() => nextTick(afterOne, began))
}

function afterOne(began: number): void {
  if (waiting.size === 0) waking = false
  else if (performance.now() - began > SLICE_MS) setImmediate(wake)
  else wakeNext(began)
}
