import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLocalDispatch } from '../../../server/jobs/local-dispatch.ts'
import { mailJob } from '../../../server/jobs/mail-job.ts'
import { openRetention } from '../../../server/jobs/retention.ts'
import { type MailDelivery, MailError, openMailDelivery } from '../../../server/mail-delivery.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { headersOf, openSmtp } from '../../helpers/smtp.ts'
import { openTestStore, temporaryFolder } from '../../helpers/store.ts'
import { gate, makeApplication, openMember, own, reaches, until } from './world.ts'

const input = { to: ['a@example.com'], subject: 'Hi', html: '<p>Hi</p>' }
const hour = 3_600_000

async function openWorld() {
  const store = await openTestStore()
  await makeApplication(store)
  const clock = { now: Date.UTC(2026, 0, 1) }
  const worker = (delivery: Pick<MailDelivery, 'deliver'>) =>
    openMember({ store, dispatch: openLocalDispatch(), now: () => clock.now, lookMs: 20 }, [mailJob(delivery)])
  return { store, clock, worker }
}

function smtpDelivery(smtpUrl: string) {
  const timeouts = { connectionMs: 5_000, answerMs: 5_000, wholeMs: 10_000 }
  return openMailDelivery({ smtpUrl, outbox: '/nowhere', from: 'noreply@example.com', timeouts })
}

/** A delivery that counts, and answers one after the other. */
function scripted(...answers: ('taken' | 'not-taken' | 'refused' | 'unknown')[]) {
  const ids: string[] = []
  const deliver: MailDelivery['deliver'] = async ({ id }) => {
    ids.push(id)
    const answer = answers.shift() ?? 'taken'
    if (answer !== 'taken') throw new MailError(answer, 'It was not taken', new Error('why'))
    return { rejected: [] }
  }
  return { ids, deliver }
}

test('sends a mail once, named by its job', async () => {
  const smtp = await openSmtp()
  const { worker } = await openWorld()
  const { jobs } = worker(smtpDelivery(smtp.url))
  const { id } = await jobs.add({ kind: 'mail', input })
  expect(await reaches(jobs, id, 'done')).toMatchObject({
    attempts: 1,
    output: { rejected: [] },
    progress: { status: 'sent' },
  })
  expect(smtp.mails).toHaveLength(1)
  expect(headersOf(smtp.mails[0]!.raw).get('message-id')).toEqual([`<${id}@example.com>`])
})

test('waits for a mail server that is down for an hour, then sends once', async () => {
  const smtp = await openSmtp()
  await smtp.close()
  const { worker, clock } = await openWorld()
  const { jobs } = worker(smtpDelivery(smtp.url))
  const { id } = await jobs.add({ kind: 'mail', input })
  const waiting = () =>
    until(
      () => jobs.get(id),
      (job) => job?.status === 'queued' && job.dueAt! > clock.now,
    )
  const begin = clock.now
  while (clock.now < begin + hour) {
    const job = await waiting()
    expect(job?.progress.status).toBe('waiting')
    expect(job!.dueAt! - clock.now).toBeLessThanOrEqual(600_000)
    clock.now = job!.dueAt!
  }
  await waiting()
  const up = await openSmtp({ port: smtp.port })
  clock.now += 600_000
  await reaches(jobs, id, 'done')
  expect(up.mails).toHaveLength(1)
})

test('gives up in the end, and sends when a person says so', async () => {
  const delivery = scripted(...Array.from({ length: 24 }, () => 'not-taken' as const))
  const { worker, clock } = await openWorld()
  const { jobs } = worker(delivery)
  const { id } = await jobs.add({ kind: 'mail', input })
  const begin = clock.now
  const ended = await until(
    async () => {
      const job = await jobs.get(id)
      if (job?.dueAt !== undefined) clock.now = Math.max(clock.now, job.dueAt)
      return job
    },
    (job) => job?.status === 'failed',
  )
  expect(ended).toMatchObject({ attempts: 24, error: { code: 'mail.not-taken' } })
  expect(clock.now - begin).toBeGreaterThan(1.4 * hour)
  expect(await jobs.retry(id)).toBe(true)
  await reaches(jobs, id, 'done')
  expect(delivery.ids).toHaveLength(25)
})

test.each(['refused', 'unknown'] as const)(
  'a mail that is %s is not sent again, until a person says so',
  async (fate) => {
    const delivery = scripted(fate)
    const { worker } = await openWorld()
    const { jobs, ends } = worker(delivery)
    const { id } = await jobs.add({ kind: 'mail', input })
    expect(await reaches(jobs, id, 'failed')).toMatchObject({ attempts: 1, error: { code: `mail.${fate}` } })
    expect(delivery.ids).toEqual([id])
    expect(await jobs.retry(id)).toBe(true)
    await reaches(jobs, id, 'done')
    expect(delivery.ids).toEqual([id, id])
    expect(ends.map(({ status }) => status)).toEqual(['failed', 'done'])
  },
)

describe('a worker that ends in the middle', () => {
  test('killed after the server has the mail: the next does not send it again', async () => {
    const arrived = gate()
    let answer: 'silence' | 0 = 'silence'
    const smtp = await openSmtp({
      onData() {
        arrived.open()
        return answer
      },
    })
    const file = join(await temporaryFolder(), 'store.db')
    const program = join(import.meta.dirname, 'mail-crash.ts')
    const child = spawn(process.execPath, [program, file, smtp.url], { stdio: ['ignore', 'inherit', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    await arrived.passed
    child.kill('SIGKILL')
    await once(child, 'exit')

    const store = await openSqlite({ file })
    onTestFinished(() => store.close())
    answer = 0
    const clock = { now: Date.now() }
    const options = { store, dispatch: openLocalDispatch(), now: () => clock.now, lookMs: 20, leaseMs: 500 }
    const { jobs, app, queue } = openMember(options, [mailJob(smtpDelivery(smtp.url))])
    const [job] = await app.collection('jobs').find()
    // The lease runs out; the job then waits a little.
    clock.now += hour
    await until(
      () => jobs.get(job!.id),
      (found) => found?.status === 'queued',
    )
    clock.now += hour
    expect(await reaches(jobs, job!.id, 'failed')).toMatchObject({ attempts: 2, error: { code: 'mail.unknown' } })
    expect(smtp.mails).toHaveLength(1)

    await jobs.retry(job!.id)
    await reaches(jobs, job!.id, 'done')
    expect(smtp.mails).toHaveLength(2)
    const [first, second] = smtp.mails.map(({ raw }) => headersOf(raw).get('message-id'))
    expect(second).toEqual(first)
    await queue.close(0)
  })

  test('stopped while the server has the mail: the next does not send it again', async () => {
    const [begun, hanging] = [gate(), gate()]
    const { worker } = await openWorld()
    const first = worker({
      async deliver() {
        begun.open()
        await hanging.passed
        return { rejected: [] }
      },
    })
    const { id } = await first.jobs.add({ kind: 'mail', input })
    await begun.passed
    await first.queue.close(0)
    const second = scripted()
    const { jobs } = worker(second)
    expect(await reaches(jobs, id, 'failed')).toMatchObject({ error: { code: 'mail.unknown' } })
    hanging.open()
    expect(second.ids).toEqual([])
  })

  test('stopped while it waits for the server: the next sends it', async () => {
    const asked = gate()
    const smtp = await openSmtp({
      onRcpt() {
        asked.open()
        return 'silence'
      },
    })
    const { worker } = await openWorld()
    const first = worker(openMailDelivery({ smtpUrl: smtp.url, outbox: '/nowhere', from: 'noreply@example.com' }))
    const { id } = await first.jobs.add({ kind: 'mail', input })
    await asked.passed
    await first.queue.close(0)
    const second = scripted()
    const { jobs } = worker(second)
    await reaches(jobs, id, 'done')
    expect(second.ids).toEqual([id])
    expect(smtp.mails).toEqual([])
  })

  test('after it has said that the mail is sent: the next only ends the job', async () => {
    const { worker, store, clock } = await openWorld()
    const member = openMember({ store, dispatch: openLocalDispatch(), now: () => clock.now })
    const { id } = await member.jobs.add({ kind: 'mail', input })
    await member.app.collection('jobs').update(id, { progress: { completed: 1, total: 1, status: 'sent' } })
    const delivery = scripted()
    const { jobs } = worker(delivery)
    await reaches(jobs, id, 'done')
    expect(delivery.ids).toEqual([])
  })
})

test('a mail that is canceled before the server has it is not sent', async () => {
  const asked = gate()
  const smtp = await openSmtp({
    onRcpt() {
      asked.open()
      return 'silence'
    },
  })
  const { worker } = await openWorld()
  const { jobs } = worker(openMailDelivery({ smtpUrl: smtp.url, outbox: '/nowhere', from: 'noreply@example.com' }))
  const { id } = await jobs.add({ kind: 'mail', input })
  await asked.passed
  expect(await jobs.cancel(id)).toBe(true)
  await reaches(jobs, id, 'canceled')
  expect(smtp.mails).toEqual([])
})

test('two workers send 40 mails once each, to the outbox too', async () => {
  const smtp = await openSmtp()
  const outbox = join(await temporaryFolder(), 'outbox')
  const toOutbox = openMailDelivery({ smtpUrl: undefined, outbox, from: 'noreply@example.com' })
  for (const delivery of [smtpDelivery(smtp.url), toOutbox]) {
    const { worker } = await openWorld()
    const [one] = [worker(delivery), worker(delivery)]
    const added = await Promise.all(Array.from({ length: 40 }, () => one.jobs.add({ kind: 'mail', input })))
    const done = { field: 'status', op: 'eq', value: 'done' } as const
    await until(
      () => one.app.collection('jobs').count(done),
      (count) => count === 40,
    )
    const ids = added.map(({ id }) => id).sort()
    const sent =
      delivery === toOutbox
        ? (await readdir(outbox)).map((name) => name.replace('.eml', ''))
        : smtp.mails.map(({ raw }) => headersOf(raw).get('message-id')![0]!.slice(1, 25))
    expect(sent.sort()).toEqual(ids)
  }
})

test('a mail that is to be sent only once is known, however many other jobs have ended since', async () => {
  const { store, worker, clock } = await openWorld()
  const app = store.app(own)
  const { jobs } = worker(scripted())
  const once = { kind: 'mail', key: 'alarm 1', input }
  const { id } = await jobs.add(once)
  await reaches(jobs, id, 'done')
  for (let n = 0; n < 5; n += 1) await jobs.cancel((await jobs.add({ kind: 'other', input: n })).id)
  await openRetention({ now: () => clock.now, limits: { ended: 2 } }).sweep(app)
  expect(await app.collection('jobs').count({ field: 'kind', op: 'eq', value: 'other' })).toBe(2)
  expect((await jobs.add(once)).id).toBe(id)
})

test('no more mails that were sent are kept than other jobs', async () => {
  const { store, worker, clock } = await openWorld()
  const app = store.app(own)
  const { jobs } = worker(scripted())
  for (let n = 0; n < 3; n += 1) await reaches(jobs, (await jobs.add({ kind: 'mail', input })).id, 'done')
  await openRetention({ now: () => clock.now, limits: { ended: 2 } }).sweep(app)
  expect(await app.collection('jobs').count()).toBe(2)
})
