/** Ctrl-C reaches npm and this process, and npm passes it on: what comes within this time is one and the same. */
const SAME_PRESS_MS = 100

/** Resolves with the first signal that asks the process to stop. A second one ends it at once, with 128 and its number. */
export function untilSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let firstAt: number | undefined
  const hear = (signal: NodeJS.Signals, number: number) => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      resolve(signal)
    } else if (performance.now() - firstAt > SAME_PRESS_MS) process.exit(128 + number)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, hear)
  return promise
}

/**
 * Ends the process with 1 when the work that closes everything has not ended after `mostMs`: what waits for a store that hangs
 * would keep it for many minutes. `onLate` is called before.
 */
export async function closeWithin(mostMs: number, close: () => Promise<void>, onLate: () => void): Promise<void> {
  const timer = setTimeout(() => {
    onLate()
    process.exit(1)
  }, mostMs)
  await close()
  clearTimeout(timer)
}
