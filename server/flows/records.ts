import type { Outcome } from '../../engine/run.ts'
import type { RunDocument } from '../store/documents/flows.ts'
import type { AppStore, NewDocument } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'

export interface RunRecords {
  /** Takes note of a run that ended; written later, in a batch. Never throws, never waits. */
  add(app: AppStore, run: { flowId: string; flowVersion: string; triggerType: string; outcome: Outcome }): void
  /** Writes what waits. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface RecordOptions {
  delayMs: number
  onError(error: unknown): void
}

// A busy endpoint makes thousands of runs a second: these many of each application are kept of each batch,
// failed ones first, so that looking back costs a fixed share of a busy server.
const MOST_A_BATCH = 50
const MOST_KEPT = 1_000

/** Keeps records of runs off the path of requests. What waits in memory (`delayMs` at most) is lost by a crash. */
export function openRunRecords(options: RecordOptions): RunRecords {
  const waiting = new Map<string, Batch>()
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const batches = [...waiting.values()]
    waiting.clear()
    writing = writing.then(async () => {
      for (const { app, failed, done } of batches) {
        await write(app, [...failed, ...done].slice(0, MOST_A_BATCH)).catch(options.onError)
      }
    })
    return writing
  }

  return {
    add(app, { outcome, ...run }) {
      const key = scopeKey(app.scope)
      const batch = waiting.get(key) ?? { app, failed: [], done: [] }
      waiting.set(key, batch)
      const list = outcome.status === 'failed' ? batch.failed : batch.done
      // The document, not the outcome: that would keep the payload of the run until the batch is written.
      if (list.length < MOST_A_BATCH) list.push(toDocument({ ...run, outcome }))
      timer ??= setTimeout(() => void flush(), options.delayMs)
    },
    flush,
    async close() {
      await flush()
    },
  }
}

interface Batch {
  app: AppStore
  failed: NewDocument<RunDocument>[]
  done: NewDocument<RunDocument>[]
}

async function write(app: AppStore, documents: readonly NewDocument<RunDocument>[]): Promise<void> {
  const runs = app.collection('runs')
  await app.write(documents.map((document) => ({ insert: 'runs', document })))
  const excess = (await runs.count()) - MOST_KEPT
  if (excess <= 0) return
  const oldest = await runs.find({ sort: { field: 'creationDate', direction: 'asc' }, limit: excess })
  await app.write(oldest.map(({ id }) => ({ remove: 'runs', id })))
}

function toDocument({ outcome, ...run }: Parameters<RunRecords['add']>[1]): NewDocument<RunDocument> {
  const { error, status, milliseconds, visits } = outcome
  const about = error && { code: error.code, name: error.name, message: error.message.slice(0, 1_000) }
  const node = error?.node && { nodeId: error.node.id, nodeType: error.node.type }
  return { ...run, status, milliseconds, visits, ...(about ? { error: { ...about, ...node } } : {}) }
}
