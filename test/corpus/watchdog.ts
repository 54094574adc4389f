import { Worker } from 'node:worker_threads'

/** Ends the process when one case takes too long: a loop without an end lets no timer of its own thread fire. */
export interface Watchdog {
  /** Begins a case. The one before it is over. */
  watch(what: string): void
  close(): Promise<void>
}

const script = `
const { parentPort, workerData } = require('node:worker_threads')
let timer
parentPort.on('message', (what) => {
  clearTimeout(timer)
  timer = setTimeout(() => {
    require('node:fs').writeSync(2, 'This case did not come back: ' + what + '\\n')
    process.kill(process.pid, 'SIGKILL')
  }, workerData)
})`

export function openWatchdog(limitMs: number): Watchdog {
  const worker = new Worker(script, { eval: true, workerData: limitMs, execArgv: [] })
  worker.unref()
  return {
    watch: (what) => worker.postMessage(what),
    close: async () => void (await worker.terminate()),
  }
}
