import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqlite } from '../../server/store/sqlite.ts'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD } from '../helpers/server.ts'
import { openSmtp, type SmtpStandIn } from '../helpers/smtp.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { freePort } from '../services/redis.ts'
import { cli } from './server-process.ts'

const people = ['support@kanarra.example', 'global@tekton.example', 'norcal@tekton.example', 'ops@sadler.example']

async function mailJobs(DATA_DIR: string) {
  const store = await openSqlite({ file: join(DATA_DIR, 'headgate.db') })
  try {
    const app = store.app((await store.hosts.find('generators'))!.scope)
    return await app.collection('jobs').find({ filter: { field: 'kind', op: 'eq', value: 'mail' } })
  } finally {
    await store.close()
  }
}

/** Asks only after the restart. */
const fifth = 'sandiego@tekton.example'

test('a mail server that is away, then busy, then there: each mail arrives, once', { timeout: 120_000 }, async () => {
  const [DATA_DIR, port] = [await temporaryFolder(), await freePort()]
  const server = cli(['start', '--password', PASSWORD], { DATA_DIR, SMTP_URL: `smtp://127.0.0.1:${port}` })
  const client = clientOf(await server.port(), 'generators.localhost')
  for (const email of people) {
    const answer = await client.send({ method: 'POST', path: '/forgot-password', form: { email } })
    expect(answer).toMatchObject({ status: 200 })
  }
  const attempts = async (most: number) => (await mailJobs(DATA_DIR)).filter((job) => job.attempts >= most).length
  await expect.poll(() => attempts(1), { timeout: 30_000 }).toBe(people.length)

  // The second attempt of each, two and a half to five seconds later, is told to come again.
  const turned = new Set<string>()
  const busy = (address: string) => (turned.has(address) || !turned.add(address) ? 0 : 451)
  const smtp: SmtpStandIn = await openSmtp({ port, onRcpt: busy })
  const arrived = () => smtp.mails.flatMap(({ to }) => to).sort()
  await expect.poll(arrived, { timeout: 60_000 }).toEqual(people.toSorted())
  const ended = async () => (await mailJobs(DATA_DIR)).map(({ status }) => status)
  await expect.poll(ended, { timeout: 10_000 }).toEqual(people.map(() => 'done'))
  expect([...turned].sort()).toEqual(people.toSorted())
  expect(await attempts(3)).toBe(people.length)

  // A restart finds nothing to send again.
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  const again = cli(['start'], { DATA_DIR, SMTP_URL: smtp.url })
  const next = clientOf(await again.port(), 'generators.localhost')
  await next.send({ method: 'POST', path: '/forgot-password', form: { email: fifth } })
  await expect.poll(arrived, { timeout: 30_000 }).toEqual([...people, fifth].sort())
})
