import { inject } from 'vitest'
import { requireOrSkip } from '../helpers/services-needed.ts'
import { storesOnMongo } from '../helpers/store.ts'

const mongo = inject('mongo')
const describe = requireOrSkip('MongoDB', 'url' in mongo, 'reason' in mongo ? mongo.reason : '')

describe('on MongoDB', async () => {
  storesOnMongo()
  await import('./isolation.test.ts')
})
