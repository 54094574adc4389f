import { DatabaseSync } from 'node:sqlite'
import { StoreError } from './port.ts'

/** A file that this process alone holds. */
export interface Lock {
  release(): void
}

/**
 * Takes a file, which is made when missing, for this process; undefined when another one has it. The system lets go of it
 * when the process ends, however it ends: no stale lock is ever left behind. Throws StoreError `unavailable`.
 */
export function takeLock(file: string): Lock | undefined {
  let held: DatabaseSync | undefined
  try {
    held = new DatabaseSync(file, { timeout: 0 })
    held.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    held?.close()
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) return undefined
    throw new StoreError('unavailable', `Expected to lock ${file}, got: ${(error as Error).message}`, { cause: error })
  }
  const lock = held
  return { release: () => lock.close() }
}

const SQLITE_BUSY = 5
