import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { inject } from 'vitest'
import { openBullDispatch } from '../../../server/jobs/bullmq.ts'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import type { Dispatch } from '../../../server/jobs/port.ts'
import { requireOrSkip } from '../../helpers/services-needed.ts'

const redis = inject('redis')

/** Every dispatch passes the same tests. `open` gives what makes the dispatch of each process that shares a line. */
export const dispatches: readonly { name: string; describe: DescribeLike; open(): () => Promise<Dispatch> }[] = [
  { name: 'local', describe: requireOrSkip('nothing', true, ''), open: () => async () => openLocalDispatch() },
  {
    name: 'bullmq',
    describe: requireOrSkip('Redis', 'url' in redis, 'reason' in redis ? redis.reason : ''),
    open() {
      const prefix = `test-${randomBytes(6).toString('hex')}`
      const url = 'url' in redis ? redis.url : ''
      return () => openBullDispatch({ url, prefix, log: pino({ level: 'silent' }) })
    },
  },
]

type DescribeLike = ReturnType<typeof requireOrSkip>
