import { HttpError } from '../errors.ts'
import type { ExperienceLimits } from './limits.ts'

/** Memory that the bodies of requests may take, of one application and of all: from their first byte to the end of their runs. */
export interface Room {
  /** `application` is its scope key. */
  open(application: string): Hold
}

/** What one request takes. It is given back once all who hold it are done. */
export interface Hold {
  /** Takes `bytes` in all, instead of what it took before. Throws HttpError `request.busy` when there is no room. */
  set(bytes: number): void
  /** One more holder; call the result when it is done. */
  share(): () => void
}

export function openRoom(limits: Pick<ExperienceLimits, 'heldBytes' | 'heldBytesPerApplication'>): Room {
  const taken = new Map<string, number>()
  let all = 0
  const move = (application: string, by: number) => {
    all += by
    const left = (taken.get(application) ?? 0) + by
    if (left > 0) taken.set(application, left)
    else taken.delete(application)
  }
  return {
    open(application) {
      let held = 0
      let holders = 0
      let gone = false
      return {
        set(bytes) {
          const more = bytes - held
          // The client has left while its body was read.
          if (gone || more === 0) return
          const own = taken.get(application) ?? 0
          if (more > 0 && (all + more > limits.heldBytes || own + more > limits.heldBytesPerApplication)) throw busy()
          held = bytes
          move(application, more)
        },
        share() {
          holders++
          let done = false
          return () => {
            if (done) return
            done = true
            if (--holders > 0) return
            gone = true
            move(application, -held)
          }
        },
      }
    },
  }
}

/** Roughly what a value takes in memory, in bytes: an empty object is far larger than its two characters. */
export function memoryOf(value: unknown): number {
  let bytes = 0
  const stack: unknown[] = [value]
  while (stack.length > 0) {
    const next = stack.pop()
    if (typeof next === 'string') bytes += next.length
    else if (next !== null && typeof next === 'object') {
      const children: unknown[] = Array.isArray(next) ? next : Object.values(next)
      bytes += OBJECT_BYTES + VALUE_BYTES * children.length
      for (const child of children) if (child !== null && typeof child !== 'number') stack.push(child)
    }
  }
  return bytes
}

// Twice what they take: the flow has a copy of its own.
const OBJECT_BYTES = 100
const VALUE_BYTES = 20

function busy(): HttpError {
  return new HttpError('request.busy', 'Too much is being worked on already. Try again in a moment', {
    headers: { 'retry-after': '1', connection: 'close' },
  })
}
