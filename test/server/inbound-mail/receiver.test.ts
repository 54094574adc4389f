import { describe, expect, test } from 'vitest'
import { openDelivery } from '../../../server/inbound-mail/deliver.ts'
import { openJobs } from '../../../server/jobs/jobs.ts'
import { StoreError } from '../../../server/store/port.ts'
import { scope } from '../../helpers/application.ts'
import { address, begin, DOMAIN, openMailWorld } from './world.ts'

const trigger = (key = 'default') => ({ type: 'inboundEmail', key, config: {}, outputIds: [[]] })
const to = address()

describe('a mail', () => {
  test('starts the flow that listens to the address, with all that the reference names', async () => {
    const world = await openMailWorld()
    const id = await world.addFlow({ name: 'Listens', triggers: [trigger('orders'), trigger()] })
    const code = await world.send({
      ...{ from: 'Ann Lee <ann@example.com>', to: [`Us <${to}>`, 'other@example.com'], cc: 'bob@example.com' },
      envelope: { from: 'bounce@example.com', to: [to] },
      ...{ subject: 'Grüße', text: 'Hello', html: '<b>Hello</b>', messageId: '<1@example.com>' },
    })
    expect(code).toBe(250)
    const [run, ...others] = await world.begun()
    expect(others).toEqual([])
    expect(run).toEqual({
      ...{ flowId: id, triggerKey: 'default', triggerId: 'default', triggerType: 'inboundEmail', index: 1, depth: 1 },
      ...{ time: world.clock.now, relay: { type: 'public', id: '0'.repeat(24) } },
      data: {
        ...{ subject: 'Grüße', text: 'Hello\n', html: '<b>Hello</b>\n', messageId: '<1@example.com>' },
        from: { name: 'Ann Lee', email: 'ann@example.com' },
        to: [{ name: 'Us', email: to }, { email: 'other@example.com' }],
        cc: [{ email: 'bob@example.com' }],
        senderIp: '127.0.0.1',
        attachments: [],
      },
    })
  })

  test('starts what listens to its subaddress, and nothing else', async () => {
    const world = await openMailWorld()
    await world.addFlow({ name: 'Listens', triggers: [trigger('Orders'), trigger('alerts'), trigger()] })
    await world.addFlow({ name: 'Off', triggers: [trigger('orders')], enabled: false })
    expect(await world.send({ to: address('oRDERS'), text: 'x' })).toBe(250)
    expect((await world.begun()).map(({ triggerId }) => triggerId)).toEqual(['Orders'])
  })

  test('to several subaddresses starts each flow once', async () => {
    const world = await openMailWorld()
    await world.addFlow({ name: 'Listens', triggers: [trigger('a'), trigger('b')] })
    expect(await world.send({ to: [address('a'), address('b'), address('A')], text: 'x' })).toBe(250)
    expect((await world.begun()).map(({ triggerId }) => triggerId).sort()).toEqual(['a', 'b'])
  })

  test('that is sent again because our answer was lost starts nothing more; one without an id may be meant twice', async () => {
    const world = await openMailWorld()
    await world.addFlow({ name: 'Listens', triggers: [trigger()] })
    const mail = { raw: 'Message-ID: <1@example.com>\r\nSubject: Once\r\n\r\nx', envelope: { from: 'a@b.c', to: [to] } }
    expect([await world.send(mail), await world.send(mail)]).toEqual([250, 250])
    const nameless = { ...mail, raw: 'Subject: Twice\r\n\r\nx' }
    expect([await world.send(nameless), await world.send(nameless)]).toEqual([250, 250])
    const subjects = (await world.begun()).map(({ data }) => (data as { subject: string }).subject)
    expect(subjects.sort()).toEqual(['Once', 'Twice', 'Twice'])
  })
})

describe('attachments', () => {
  const attachments = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ filename: `../a ${i}.txt`, content: `content ${i}` }))

  test('are private files with a signed link, as long as links of the application live', async () => {
    const world = await openMailWorld()
    await world.addFlow({ name: 'Listens', triggers: [trigger()] })
    expect(await world.send({ to, attachments: attachments(10) })).toBe(250)
    const [run] = await world.begun()
    const views = (run!.data as { attachments: { url: string }[] }).attachments
    expect(views).toHaveLength(10)
    expect(views[3]).toEqual({
      ...{ filename: '../a 3.txt', contentType: 'text/plain', size: 9 },
      url: expect.stringMatching(
        new RegExp(`^/_files/${scope.application}/inbound-mail/[0-9a-f]{24}/4-__a_3\\.txt\\?expires=\\d+&signature=`),
      ),
    })
    const files = await world.app.collection('files').find()
    expect(files.map((file) => file.private)).toEqual(Array(10).fill(true))
    const [cleanup] = await world.app
      .collection('jobs')
      .find({ filter: { field: 'kind', op: 'eq', value: 'inbound-mail-cleanup' } })
    expect(cleanup!.dueAt).toBe(world.clock.now + 86_460_000)
  })

  test('are refused when there are more than ten, and nothing is kept', async () => {
    const world = await openMailWorld()
    await world.addFlow({ name: 'Listens', triggers: [trigger()] })
    expect(await world.send({ to, attachments: attachments(11) })).toBe(552)
    expect(await world.begun()).toEqual([])
    expect(await world.app.collection('files').count()).toBe(0)
  })
})

describe('a recipient is refused with one and the same answer', () => {
  const b = 'b'.repeat(24)
  test.each([
    ['of an unknown application', `${b}@${DOMAIN}`],
    ['of an application without a flow that listens', address('nobody')],
    ['of another domain', `${scope.application}@elsewhere.example.com`],
    ['that is no id', `postmaster@${DOMAIN}`],
  ])('%s', async (_, recipient) => {
    const world = await openMailWorld()
    await world.addFlow({ name: 'Listens', triggers: [trigger()] })
    const client = await world.talk()
    expect(await begin(client, recipient)).toBe(550)
    expect(client.heard().trim().split('\r\n').at(-1)).toBe('550 No such address here')
  })
})

test('recipients of another application are to be sent to apart', async () => {
  const other = { tenant: 't2', application: 'c'.repeat(24) }
  const world = await openMailWorld({
    deps: {
      application: async (id) => ({ store: world.store.app(id === other.application ? other : scope) }),
    },
  })
  await world.addFlow({ name: 'Listens', triggers: [trigger()] })
  const otherApp = world.store.app(other)
  const content = { triggers: [trigger()], nodes: [], globals: [] }
  await otherApp.collection('flows').insert({ name: 'Other', flowClass: 'cloud', enabled: true, content })
  const client = await world.talk()
  await client.say('EHLO tester')
  await client.say('MAIL FROM:<>')
  expect(await client.say(`RCPT TO:<${to}>`)).toBe(250)
  expect(await client.say(`RCPT TO:<${other.application}@${DOMAIN}>`)).toBe(452)
  expect(await client.say('DATA')).toBe(354)
  expect(await client.say('Subject: x\r\n\r\nx\r\n.')).toBe(250)
  expect([await world.begun(), await world.begun(otherApp)].map(({ length }) => length)).toEqual([1, 0])
  expect(await begin(client, `${other.application}@${DOMAIN}`)).toBe(354)
  expect(await client.say('Subject: x\r\n\r\nx\r\n.')).toBe(250)
  expect(await world.begun(otherApp)).toMatchObject([{ data: { from: { email: 'ann@example.com' } } }])
})

test('more than 30 mails to an application in 15 seconds are to be sent later', async () => {
  const world = await openMailWorld({ deps: { limits: { mails: 3 } } })
  await world.addFlow({ name: 'Listens', triggers: [trigger()] })
  const codes = async () => [await world.send({ to, text: '1' }), await world.send({ to, text: '2' })]
  expect([...(await codes()), ...(await codes())]).toEqual([250, 250, 250, 450])
  world.clock.now += 15_000
  expect(await codes()).toEqual([250, 250])
  expect(await world.begun()).toHaveLength(5)
})

describe('while the store is away the sender keeps the mail', () => {
  const away = () => Promise.reject(new StoreError('unavailable', 'away'))

  test('when the recipient is looked up', async () => {
    const world = await openMailWorld({ deps: { application: away } })
    expect(await begin(await world.talk(), to)).toBe(451)
  })

  test('when the mail is to be kept, though its recipient was accepted', async () => {
    const world = await openMailWorld({ deps: { delivery: { listens: async () => true, deliver: away } } })
    expect(await world.send({ to, text: 'x' })).toBe(451)
    expect(world.log).toMatchObject([{ msg: 'a mail that came in could not be kept' }])
  })

  test('when attachments were kept and the runs cannot be: nothing is acknowledged', async () => {
    const world = await openMailWorld({ deps: { delivery: { listens: async () => true, deliver } } })
    await world.addFlow({ name: 'Listens', triggers: [trigger()] })
    async function deliver(inbound: Parameters<ReturnType<typeof openDelivery>['deliver']>[0]) {
      const { app } = inbound
      const alone = { now: () => world.clock.now, wake: () => undefined, nudge: () => undefined }
      const failing = { ...app, write: away }
      const queue = { of: () => openJobs({ app, ...alone }) }
      await openDelivery({ plans: world.plans, queue, now: alone.now }).deliver({ ...inbound, app: failing })
    }
    const mail = { to, text: 'x', attachments: [{ filename: 'a.txt', content: 'a' }], messageId: '<1@example.com>' }
    expect(await world.send(mail)).toBe(451)
    // What was kept of it is removed all the same.
    expect((await world.app.collection('jobs').find()).map(({ kind }) => kind)).toEqual(['inbound-mail-cleanup'])
  })
})
