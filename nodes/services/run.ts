import type { VisitPlace } from '../../engine/node.ts'
import type { Payload } from '../../engine/payload.ts'

export interface Clock {
  /** Now, in milliseconds since the epoch. */
  now(): number
  /** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}

export type DebugLevel = 'verbose' | 'info' | 'warn' | 'error'

export interface DebugLog {
  /** Records a message with a snapshot of `value`, taken now. Never throws. `path`: where it is read from. */
  write(entry: { node: VisitPlace; level: DebugLevel; message: string; value?: unknown; path?: string }): void
}

/** Key-value storage of the flow that runs: durable, shared by all its runs and versions. A value is up to 16 KB of JSON. */
export interface FlowValues {
  get(key: string): Promise<unknown>
  /** All entries as an object. */
  all(): Promise<Payload>
  /** Undefined removes the key. Throws `value.too-large` above 16 KB. */
  set(key: string, value: unknown): Promise<void>
  /** Removes the key; gives the value that it had. */
  remove(key: string): Promise<unknown>
  /** Adds atomically (missing counts as 0); gives the new value. Throws `value.not-number` when a non-number is stored. */
  add(key: string, amount: number): Promise<number>
  /**
   * Atomic change of what a node remembers from run to run, apart from the values above. `change` may be asked again when another
   * run was faster; `after` undefined forgets. Dates come back as ISO text. Throws `value.too-large` above 16 KB.
   */
  transition<T>(key: string, change: (before: unknown) => { after: unknown; result: T }): Promise<T>
}

export interface Functions {
  /** Runs a script with `payload` = value, outside this process; its console lines go to the debug log. */
  run(call: { script: string; value: unknown; node: VisitPlace; signal: AbortSignal }): Promise<unknown>
}
