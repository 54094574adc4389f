import { DatabaseSync } from 'node:sqlite'

/** A file that this process alone holds. */
export interface Lock {
  release(): void
}

/**
 * Takes a file, which is made when missing, for this process; undefined when another one has it. The system lets go of it
 * when the process ends, however it ends: no stale lock is ever left behind. Throws what the disk says.
 */
export function takeLock(file: string): Lock | undefined {
  const held = new DatabaseSync(file, { timeout: 0 })
  try {
    held.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    held.close()
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY) return undefined
    throw error
  }
  return { release: () => held.close() }
}

const SQLITE_BUSY = 5
