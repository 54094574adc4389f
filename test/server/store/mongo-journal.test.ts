import { expect, test } from 'vitest'
import type { Connection } from '../../../server/store/mongo-client.ts'
import { toStored } from '../../../server/store/mongo-document.ts'
import { openJournal } from '../../../server/store/mongo-journal.ts'
import { layoutsOf } from '../../../server/store/mongo-plan.ts'

const layouts = layoutsOf()
const dates = { revision: 2, creationDate: 1, lastUpdated: 1 }
const user = { id: '0'.repeat(24), ...dates, email: 'a@b.example', emailKey: 'a@b.example' }

/** Commits the change of one user who gives up an address; `matched` documents are found. Gives what the server was sent. */
async function commitOne(matched: number): Promise<unknown[]> {
  const sent: unknown[] = []
  const bulkWrite = async (operations: unknown[]) => {
    sent.push(...operations)
    return { matchedCount: matched, deletedCount: 0, upsertedCount: 0 }
  }
  const connection = { collection: () => ({ bulkWrite }) } as unknown as Connection
  const after = toStored('["t","a"]', layouts.get('users')!, user)
  const step = { collection: 'users', id: user.id, before: 'old', after, releases: true }
  const lease = { check: async () => undefined }
  await openJournal(connection, layouts).commit('["t","a"]', { steps: [step], revision: null }, lease)
  return sent
}

test('a document that changes alone changes in one operation: nothing gives up its combinations before', async () => {
  expect(await commitOne(1)).toEqual([{ replaceOne: expect.anything() }])
})

test('a write that met another document than it was made for is not acknowledged', async () => {
  await expect(commitOne(0)).rejects.toMatchObject({ code: 'unavailable' })
})
