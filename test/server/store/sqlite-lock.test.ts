import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { takeLock } from '../../../server/store/sqlite-lock.ts'
import { temporaryFolder } from '../../helpers/store.ts'

test('a lock is held by one at a time', async () => {
  const file = join(await temporaryFolder(), 'lock')
  const first = takeLock(file)
  expect(first).toBeDefined()
  expect(takeLock(file)).toBeUndefined()
  expect(takeLock(`${file}-2`)).toBeDefined()
  first?.release()
  expect(takeLock(file)).toBeDefined()
})

test('what cannot be locked is a StoreError', async () => {
  const folder = join(await temporaryFolder(), 'folder')
  await mkdir(folder)
  expect(() => takeLock(folder)).toThrow(expect.objectContaining({ name: 'StoreError', code: 'unavailable' }))
})
