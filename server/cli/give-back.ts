import { Session } from 'node:inspector/promises'
import { getHeapStatistics } from 'node:v8'

/** What is known of a process, and done with it. */
export interface Memory {
  /** Part of the time since it was asked last that the process was at work: 0 to 1. */
  busyShare(): number
  heap(): { totalBytes: number; usedBytes: number }
  /** Collects garbage and hands the pages back to the system. */
  collect(): Promise<void>
}

export interface GiveBackOptions {
  /** What could not be given back, and why: it is not tried again. */
  onError(error: unknown): void
  /** Default: that of this process. */
  memory?: Memory
}

const lookEveryMs = 2_500
/** So many looks without work, 10 to 12.5 seconds: afterwards code that was optimized warms up again. */
const quietLooks = 4
/** Timers and health checks use less. */
const busyShare = 0.05
/** Growth since the last time that is worth a walk through the heap. */
const worthBytes = 16 << 20
/** A larger heap is walked for too long when a request comes meanwhile, and there is less to gain in proportion. */
const mostUsedBytes = 256 << 20

/**
 * Gives memory back to the system whenever the process is quiet after work that made its heap grow. V8 itself keeps what
 * a busy spell took: up to 64 MB for young objects alone. Holds the process up for some 70 ms, and does not keep it alive.
 * Call the result to stop.
 */
export function giveBackWhenQuiet({ onError, memory = ofProcess() }: GiveBackOptions): () => void {
  let quiet = 0
  let keptBytes = 0
  const look = () => {
    quiet = memory.busyShare() < busyShare ? quiet + 1 : 0
    const { totalBytes, usedBytes } = memory.heap()
    if (quiet < quietLooks || totalBytes < keptBytes + worthBytes || usedBytes > mostUsedBytes) return
    quiet = 0
    memory.collect().then(
      () => {
        keptBytes = memory.heap().totalBytes
      },
      (error: unknown) => {
        clearInterval(timer)
        onError(error)
      },
    )
  }
  const timer = setInterval(look, lookEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** The memory of this process. */
export function ofProcess(): Memory {
  let last = performance.eventLoopUtilization()
  return {
    busyShare() {
      const before = last
      last = performance.eventLoopUtilization()
      return performance.eventLoopUtilization(last, before).utilization
    },
    heap() {
      const { total_heap_size, used_heap_size } = getHeapStatistics()
      return { totalBytes: total_heap_size, usedBytes: used_heap_size }
    },
    async collect() {
      // Unlike `gc` this needs no flag of Node, and unmaps the pages: it is what a browser does for a tab put aside.
      const session = new Session()
      session.connect()
      try {
        await session.post('HeapProfiler.collectGarbage')
      } finally {
        session.disconnect()
      }
    },
  }
}
