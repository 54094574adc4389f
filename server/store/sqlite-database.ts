import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { fold } from './fold.ts'
import { StoreError } from './port.ts'

export type SqlValue = SQLInputValue
export type Row = Record<string, unknown>

/** A piece of SQL and the values bound to its question marks, in order. */
export interface Sql {
  sql: string
  params: readonly SqlValue[]
}

/** One connection. All calls are synchronous: what runs inside `transaction` cannot be interleaved. Throws StoreError. */
export interface Database {
  get(sql: string, params?: readonly SqlValue[]): Row | undefined
  all(sql: string, params?: readonly SqlValue[]): Row[]
  /** As `all`, each row the list of its columns: half the cost where rows are many and small. */
  lists(sql: string, params?: readonly SqlValue[]): unknown[][]
  /** Runs a statement; gives the number of changed rows and the last row id. */
  run(sql: string, params?: readonly SqlValue[]): { changes: number; lastRow: number }
  /** Runs a script of statements without values. */
  script(sql: string): void
  /** All of `work` or nothing; takes the write lock at its start. May be nested: the outermost one counts. */
  transaction<T>(work: () => T): T
  inTransaction(): boolean
  /** Calls back once, when the transaction under way has been committed or undone. */
  whenEnded(told: (committed: boolean) => void): void
  /** A function that statements may call. */
  define(name: string, of: (...values: unknown[]) => SqlValue): void
  isOpen(): boolean
  close(): void
}

const statementsKept = 500

/**
 * Opens or makes the file. In WAL mode with synchronous NORMAL a commit is in the operating system's hands: it survives the
 * death of the process (kill -9), while a loss of power may take the commits of the last moments, whole ones and newest
 * first, and never damages the file. Waits at most `busyTimeoutMs` for another process that writes, then `unavailable`.
 */
export function openDatabase(options: { file: string; busyTimeoutMs?: number; mostPages?: number }): Database {
  const connection = guarded(() => {
    const opened = new DatabaseSync(options.file, { timeout: options.busyTimeoutMs ?? 5000 })
    try {
      opened.exec('PRAGMA journal_mode = WAL')
      opened.exec('PRAGMA synchronous = NORMAL')
      opened.exec('PRAGMA foreign_keys = OFF')
      opened.exec('PRAGMA temp_store = MEMORY')
      opened.exec('PRAGMA journal_size_limit = 67108864')
      opened.exec('PRAGMA cache_size = -262144')
      // Random reads of a file larger than the cache then cost no call of the system each.
      opened.exec('PRAGMA mmap_size = 4294967296')
      if (options.mostPages !== undefined) opened.exec(`PRAGMA max_page_count = ${Math.trunc(options.mostPages)}`)
      opened.function('fold', { deterministic: true }, (text) => (typeof text === 'string' ? fold(text) : text))
    } catch (error) {
      opened.close()
      throw error
    }
    return opened
  })
  const statements = new Map<string, StatementSync>()

  function prepared(sql: string): StatementSync {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = connection.prepare(sql)
    if (statements.size >= statementsKept) {
      // The oldest goes; asked for again it is prepared again.
      for (const oldest of statements.keys()) {
        statements.delete(oldest)
        break
      }
    }
    statements.set(sql, statement)
    return statement
  }

  let ended: ((committed: boolean) => void)[] = []

  function tellEnded(committed: boolean) {
    const told = ended
    ended = []
    for (const one of told) one(committed)
  }

  function rollback() {
    // A full disk or an I/O error may have rolled back already.
    if (connection.isOpen && connection.isTransaction) connection.exec('ROLLBACK')
  }

  return {
    get: (sql, params = []) => guarded(() => prepared(sql).get(...params)),
    all: (sql, params = []) => guarded(() => prepared(sql).all(...params)),
    lists: (sql, params = []) =>
      guarded(() => {
        // A key of its own: a statement gives rows in one form only.
        const statement = prepared(`${sql} -- lists`)
        statement.setReturnArrays(true)
        return statement.all(...params) as unknown as unknown[][]
      }),
    run: (sql, params = []) =>
      guarded(() => {
        const { changes, lastInsertRowid } = prepared(sql).run(...params)
        return { changes: Number(changes), lastRow: Number(lastInsertRowid) }
      }),
    script: (sql) => guarded(() => connection.exec(sql)),
    transaction(work) {
      return guarded(() => {
        if (connection.isTransaction) return work()
        connection.exec('BEGIN IMMEDIATE')
        try {
          const result = work()
          connection.exec('COMMIT')
          tellEnded(true)
          return result
        } catch (error) {
          rollback()
          tellEnded(false)
          throw error
        }
      })
    },
    isOpen: () => connection.isOpen,
    whenEnded: (told) => void ended.push(told),
    define: (name, of) => guarded(() => connection.function(name, { varargs: true }, of)),
    inTransaction: () => connection.isOpen && connection.isTransaction,
    close() {
      if (connection.isOpen) connection.close()
      statements.clear()
    },
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toStoreError(error)
  }
}

/** Result codes of SQLite (primary ones: the low byte) that are no fault of ours. */
const busy = new Set([5, 6, 10, 14, 15, 8, 3])
const damaged = new Set([11, 26])

/**
 * StoreError for what the disk or another process did; other errors, ours, as they are. The message of SQLite names tables and
 * columns alone, never values.
 */
function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error
  const { code, errcode } = error as { code?: string; errcode?: number }
  if (code === 'ERR_INVALID_STATE') return new StoreError('unavailable', 'The store is closed.', { cause: error })
  if (code !== 'ERR_SQLITE_ERROR' || errcode === undefined) return error
  const primary = errcode & 0xff
  if (primary === 13) return new StoreError('full', 'No room is left on the disk of the store.', { cause: error })
  if (busy.has(primary)) {
    return new StoreError('unavailable', `The store cannot be read or written now: ${error.message}.`, { cause: error })
  }
  if (damaged.has(primary)) {
    const message = 'The file of the store is damaged or no store. Restore it from a backup, or name another file.'
    return new StoreError('unavailable', message, { cause: error })
  }
  return error
}
