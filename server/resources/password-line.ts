import { availableParallelism } from 'node:os'
import { openLine } from '../../engine/sandbox/line.ts'

/** Lets work on passwords have the threads of the process, a few at a time, the applications in turn. */
export interface PasswordLine {
  /** Settles as `work` does. `application` is the key of its scope. */
  run<T>(application: string, work: () => Promise<T>): Promise<T>
}

/** Of the four threads that files, names of hosts and passwords share one is always left to the others. */
const mostAtOnce = Math.min(3, Math.max(1, availableParallelism()))

export function openPasswordLine(): PasswordLine {
  const line = openLine<{ application: string; start(): Promise<void> }>()
  let working = 0

  function next(): void {
    for (const call of line.heads()) {
      if (working >= mostAtOnce) return
      line.remove(call)
      working++
      void call.start().finally(() => {
        working--
        next()
      })
    }
  }

  return {
    run: (application, work) =>
      new Promise((resolve, reject) => {
        line.add({ application, start: () => work().then(resolve, reject) }, 'last')
        next()
      }),
  }
}
