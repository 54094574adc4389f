export interface Throttle {
  /** Throws what the last delayed call failed with, or this one when it is not delayed. */
  call(): Promise<void>
  /** Drops what waits. */
  close(): void
}

/** Calls `work` at once, then at most once in `everyMs`; what is asked for meanwhile is one call, at the end of that time. */
export function throttle(everyMs: number, work: () => Promise<void>): Throttle {
  let timer: NodeJS.Timeout | undefined
  let waiting = false
  let failure: { error: unknown } | undefined

  function rest() {
    timer = setTimeout(async () => {
      timer = undefined
      if (!waiting) return
      waiting = false
      rest()
      await work().catch((error: unknown) => {
        failure = { error }
      })
    }, everyMs)
  }

  return {
    async call() {
      if (failure !== undefined) {
        const { error } = failure
        failure = undefined
        throw error
      }
      if (timer !== undefined) {
        waiting = true
        return
      }
      rest()
      await work()
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      waiting = false
    },
  }
}
