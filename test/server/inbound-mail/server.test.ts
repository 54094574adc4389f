import { createTransport } from 'nodemailer'
import { expect, onTestFinished, test, vi } from 'vitest'
import { attachmentCleanupJob, keepAttachments } from '../../../server/inbound-mail/attachments.ts'
import { openReceiverOf } from '../../../server/inbound-mail/open-receiver.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import type { JobContext } from '../../../server/jobs/port.ts'
import { openApplication, scope } from '../../helpers/application.ts'
import { clientOf } from '../../helpers/client.ts'
import { startServer } from '../../helpers/server.ts'

test('a flow runs for a mail that a whole server takes, and reads its attachment by its link', async () => {
  const { server, store, port, close } = await startServer({
    config: { inboundSmtpPort: 0, inboundMailDomain: 'in.example.com' },
  })
  onTestFinished(close)
  const app = store.app(scope)
  await app.collection('application').insert({ id: scope.application, name: 'Test', globals: [], secret: 's' })
  await app.collection('experienceVersions').insert({ version: 'develop', endpointDefaultCors: true, globals: [] })
  const config = { keyName: 'url', valueType: 'path', value: 'data.attachments.[0].url' }
  const content = {
    triggers: [{ type: 'inboundEmail', key: 'default', config: {}, outputIds: [['keep']] }],
    nodes: [{ id: 'keep', type: 'StoreValueNode', config, outputIds: [[]] }],
    globals: [],
  }
  const flow = await app.collection('flows').insert({ name: 'Mail', flowClass: 'cloud', enabled: true, content })
  const transport = createTransport({ host: '127.0.0.1', port: server.mailPort, ignoreTLS: true })
  onTestFinished(() => transport.close())
  await transport.sendMail({
    ...{ from: 'ann@example.com', to: `${scope.application}@in.example.com`, text: 'x' },
    attachments: [{ filename: 'page.html', content: '<script>1</script>' }],
  })
  await vi.waitFor(async () => expect(await app.collection('runs').find()).toMatchObject([{ status: 'done' }]), 10_000)
  const { url } = await app.values.entries(`flow:${flow.id}`)
  const client = clientOf(port, `${scope.application}.localhost`)
  const answer = await client.get(String(url))
  expect(answer).toMatchObject({ status: 200, text: '<script>1</script>' })
  // Nothing of a stranger's acts on the pages of the application.
  expect(answer.headers).toMatchObject({ 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' })
  expect(await client.get(String(url).split('?')[0]!)).toMatchObject({ status: 404 })
})

test('attachments are removed when their links have ended, and those of other mails stay', async () => {
  const { app } = await openApplication()
  const now = () => Date.UTC(2026, 0, 1)
  const jobs = openJobs({ app, now, wake: () => undefined, nudge: () => undefined })
  const keep = (name: string) =>
    keepAttachments([{ filename: name, contentType: 'text/plain', bytes: Buffer.from(name) }], { app, jobs, now })
  await keep('first')
  await keep('second')
  const [first] = await app.collection('jobs').find()
  await attachmentCleanupJob({ now }).run({ app, input: first!.input } as JobContext)
  expect((await app.collection('files').find()).map(({ path }) => path)).toEqual([expect.stringMatching(/1-second$/)])
})

test.each([
  ['a worker', { inboundSmtpPort: 0, role: 'worker' as const }],
  ['a server without the setting', { inboundSmtpPort: undefined, role: 'all' as const }],
])('%s listens for no mail', async (_, config) => {
  const given = {} as Parameters<typeof openReceiverOf>[1]
  expect(await openReceiverOf(config as Parameters<typeof openReceiverOf>[0], given)).toBeUndefined()
})
