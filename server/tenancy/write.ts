import { type AppStore, StoreError, type WriteOperation } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { openBatch } from './batch.ts'
import { completeAssociations } from './devices.ts'
import { completeForest } from './forest.ts'
import { completeMembers, withEmailKeys } from './members.ts'

/** Id of the one document of the collection `tenancy`. */
const gateId = '000000000000000000000001'

const mostAttempts = 20

/**
 * Completes and writes operations, of which any number may be on users, groups and devices: every write of these goes
 * through here. All or nothing. Writes of one application are done one after the other, and done again from the start when
 * another process came in between. Throws Refusal `Validation` for what the rules of tenancy refuse, and StoreError
 * as `AppStore.write` does, with the index of the given operation.
 */
export async function tenancyWrite(app: AppStore, operations: readonly WriteOperation[]): Promise<void> {
  await inTurn(scopeKey(app.scope), async () => {
    for (let attempt = 1; ; attempt++) {
      const completed = await completeOperations(app, operations)
      try {
        await app.write(completed)
        return
      } catch (error) {
        const failure = judge(error, { operations, shift: completed[0] !== undefined && isGuard(completed[0]) ? 1 : 0 })
        if (failure !== undefined || attempt >= mostAttempts) throw failure ?? error
        await pause(attempt)
      }
    }
  })
}

/**
 * The operations, in their order, with derived fields filled in (`ancestorIds`, `anchors`, `groupIds`, `emailKey`), and what
 * follows from them: groups below a moved one, devices of a changed group, members and endpoints of a removed group. The first
 * operation is a guard: writing them fails with StoreError `conflict` or `duplicate` at index 0 when another such write came
 * in between, and they must then be completed again (`tenancyWrite` does that).
 */
export async function completeOperations(
  app: AppStore,
  operations: readonly WriteOperation[],
): Promise<WriteOperation[]> {
  const given = withEmailKeys(operations)
  if (!given.some(decides)) return given
  // The guard is read first: all that is read after it holds as long as the guard has not changed.
  const gate = await app.collection('tenancy').get(gateId)
  const batch = await openBatch(app, given)
  await completeForest(batch)
  await completeMembers(batch)
  await completeAssociations(batch)
  const guard: WriteOperation =
    gate === undefined
      ? { insert: 'tenancy', document: { id: gateId, writes: 1 } }
      : { update: 'tenancy', id: gateId, change: { writes: gate.writes + 1 }, revision: gate.revision }
  return [guard, ...batch.operations()]
}

const groupSources = ['parentId', 'ancestorIds', 'deviceIds', 'deviceTags', 'deviceQueryJson', 'anchors']

/** True when the operation can change who sees what. */
function decides(operation: WriteOperation): boolean {
  if ('update' in operation && operation.update === 'users')
    return Object.hasOwn(operation.change, 'experienceGroupIds')
  if ('update' in operation && operation.update === 'groups') {
    return groupSources.some((key) => Object.hasOwn(operation.change, key))
  }
  if ('insert' in operation && operation.insert === 'users') return operation.document.experienceGroupIds.length > 0
  const name = 'insert' in operation ? operation.insert : 'update' in operation ? operation.update : operation.remove
  return name === 'groups' || name === 'devices'
}

function isGuard(operation: WriteOperation): boolean {
  return (
    ('insert' in operation && operation.insert === 'tenancy') ||
    ('update' in operation && operation.update === 'tenancy')
  )
}

/** The error for the caller; undefined when the write is to be tried again. */
function judge(error: unknown, at: { operations: readonly WriteOperation[]; shift: number }): unknown {
  if (!(error instanceof StoreError)) return error
  if (error.code !== 'conflict' && error.code !== 'missing' && error.code !== 'duplicate') return error
  const { operation: index, revision } = error.details
  if (index === undefined) return error.code === 'conflict' ? undefined : error
  const given = at.operations[index - at.shift]
  if (given === undefined) return undefined
  if (error.code === 'conflict' && !('revision' in given && given.revision !== undefined)) return undefined
  return new StoreError(error.code, error.message, { cause: error, revision, operation: index - at.shift })
}

const lines = new Map<string, Promise<unknown>>()

/** Runs the works of one key one after the other. Only to spare retries: the guard alone keeps writes from crossing. */
async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = lines.get(key) ?? Promise.resolve()
  const turn = before.then(work, work)
  // A failure belongs to its own caller; the next in line goes on.
  const settled = turn.catch(() => undefined)
  lines.set(key, settled)
  try {
    return await turn
  } finally {
    if (lines.get(key) === settled) lines.delete(key)
  }
}

/** Longer with each attempt, and by chance, so that two processes do not meet again. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 100)))
}
