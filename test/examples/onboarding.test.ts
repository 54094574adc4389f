import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeviceDocument } from '../../server/store/documents/devices.ts'
import type { AppStore } from '../../server/store/port.ts'
import { type Answer, type Client, clientOf } from '../helpers/client.ts'
import { linkInMail, mailsTo } from '../helpers/outbox.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'
import { stacks } from '../helpers/stacks.ts'

const SETTLED = { timeout: 30_000, interval: 50 }
const generators = join(import.meta.dirname, '../../examples/generators')

for (const stack of stacks) {
  describe(`onboarding on ${stack.name}`, { timeout: 60_000 }, () => {
    let running: TestServer
    let app: AppStore
    let staff: Client
    let norcal: Client
    let ops: Client

    beforeAll(async () => {
      running = await startServer({ folders: [generators], stack })
      app = running.store.app(running.applications[0]!.scope)
      staff = await signedIn('support@kanarra.example', 'generators-admin.localhost')
      norcal = await signedIn('norcal@tekton.example')
      ops = await signedIn('ops@sadler.example')
    })
    afterAll(() => running.close())

    async function signedIn(email: string, host = 'generators.localhost', password = PASSWORD): Promise<Client> {
      const client = clientOf(running.port, host)
      expect(await client.login(email, password)).toMatchObject({ status: 302 })
      return client
    }

    const post = (client: Client, path: string, form: Record<string, string> = {}): Promise<Answer> =>
      client.send({ method: 'POST', path, form })
    const idOf = async (name: string) =>
      (await app.collection('groups').first({ field: 'name', op: 'eq', value: name }))!.id
    const groupCount = () => app.collection('groups').count()
    const outbox = () => join(running.config.dataDir, 'outbox')

    async function generator(serial: string): Promise<DeviceDocument> {
      const tag = { tag: 'tags', key: { in: ['serial'] }, value: { in: [serial] } } as const
      const [device] = await app.collection('devices').find({ filter: tag })
      return device!
    }

    const tagOf = ({ tags }: DeviceDocument, key: string) => tags.find((tag) => tag.key === key)?.value

    async function provision(serial: string): Promise<string> {
      const form = { name: `Generator ${serial}`, serial, model: 'Kanarra K500', ratedKw: '500' }
      expect(await post(staff, '/devices', form)).toMatchObject({ status: 302 })
      return tagOf(await generator(serial), 'claimCode')!
    }

    test('of many who claim one generator at once, one gets it and all others the same answer', async () => {
      const [oakland, tacoma] = [await idOf('Oakland'), await idOf('Tacoma')]
      for (let round = 1; round <= 5; round++) {
        const serial = `RACE-${round}`
        const code = await provision(serial)
        const claims = Array.from({ length: 12 }, (_, n) =>
          n % 2 === 0
            ? { site: oakland, answer: post(norcal, '/claim', { code, site: oakland }) }
            : { site: tacoma, answer: post(ops, '/claim', { code, site: tacoma }) },
        )
        const answers = await Promise.all(claims.map(async ({ site, answer }) => ({ site, ...(await answer) })))
        const won = answers.filter(({ status }) => status === 302)
        expect(won).toHaveLength(1)
        expect(answers.filter(({ status }) => status === 404)).toHaveLength(11)
        const device = await generator(serial)
        expect(device.tags.filter(({ key }) => key === 'group').map(({ value }) => value)).toEqual([won[0]!.site])
        expect(tagOf(device, 'claimCode')).toBeUndefined()
        // Nothing is left of the code, and it is void.
        expect((await post(ops, '/claim', { code, site: tacoma })).status).toBe(404)
      }
    })

    test('a new code makes the label that is printed already worthless', async () => {
      const old = await provision('RECODE-1')
      const { id } = await generator('RECODE-1')
      expect(await post(staff, `/devices/${id}/code`)).toMatchObject({ status: 302 })
      const code = tagOf(await generator('RECODE-1'), 'claimCode')!
      expect(code).not.toBe(old)
      const site = await idOf('Oakland')
      expect((await norcal.get(`/claim?code=${old}`)).status).toBe(404)
      expect((await post(norcal, '/claim', { code: old, site })).status).toBe(404)
      expect((await post(norcal, '/claim', { code, site })).status).toBe(302)
    })

    test('the first person of a customer chooses a password by the link, once, and sees their own generators only', async () => {
      const form = { name: 'Harbor Cold Storage', email: 'mara@harbor.example', firstName: 'Mara' }
      const made = await post(staff, '/new-customer', form)
      expect(made.headers.location).toMatch(/^\/customers\/[0-9a-f]{24}\?created=yes$/)
      const link = new URL(await linkInMail(outbox(), form.email))
      expect(link.host).toBe(`generators.localhost:${running.port}`)

      const mara = clientOf(running.port, 'generators.localhost')
      const choice = {
        user: link.searchParams.get('user')!,
        token: link.searchParams.get('token')!,
        password: 'harbor-lights-1',
      }
      expect(await post(mara, '/reset-password', choice)).toMatchObject({ status: 302 })
      expect((await post(mara, '/reset-password', { ...choice, password: 'another-one-1' })).status).toBe(400)
      expect(await mara.login(form.email, 'harbor-lights-1')).toMatchObject({ status: 302 })
      expect(JSON.parse((await mara.get('/api/devices')).text)).toEqual([])

      // As an administrator of the own group and of no other.
      const person = (groupId: string, email: string) =>
        mara.send({ method: 'POST', path: '/admin/users', json: { email, password: 'a-first-password', groupId } })
      const own = await idOf('Harbor Cold Storage')
      expect((await person(own, 'jo@harbor.example')).status).toBe(201)
      expect((await person(await idOf('Oakland'), 'spy@harbor.example')).status).toBe(403)

      const code = await provision('HARBOR-1')
      expect((await mara.get(`/claim?code=${code}`)).text).toContain('Harbor Cold Storage</option>')
      expect((await post(mara, '/claim', { code, site: own })).status).toBe(302)
      expect(JSON.parse((await mara.get('/api/devices')).text)).toMatchObject([{ tags: { serial: ['HARBOR-1'] } }])
      expect(JSON.parse((await norcal.get('/api/devices')).text)).not.toContainEqual(
        expect.objectContaining({ name: 'Generator HARBOR-1' }),
      )
    })

    test('a customer is taken in once, also by staff who press the button twice', async () => {
      const groups = await groupCount()
      const form = { name: 'Twice Ltd', email: 'twice@twice.example' }
      const answers = await Promise.all([post(staff, '/new-customer', form), post(staff, '/new-customer', form)])
      const made = answers.filter(({ status }) => status === 302)
      expect(made.length).toBe(1)
      expect(answers.find(({ status }) => status !== 302)?.status).toBe(409)
      expect(await groupCount()).toBe(groups + 1)
      await linkInMail(outbox(), form.email)
      expect(await mailsTo(outbox(), form.email)).toHaveLength(1)
    })

    test('generators of a file belong to the group that was chosen, and an import that is canceled ends', async () => {
      const group = await idOf('Tacoma')
      const rows = Array.from({ length: 20_000 }, (_, n) => `Row ${n},ROW-${n}`)
      const answer = await staff.send(upload(group, `name,serial\n${rows.join('\n')}\n`))
      expect(answer.headers.location).toMatch(/^\/imports\/[0-9a-f]{24}$/)
      const path = answer.headers.location!
      expect(await post(staff, `${path}/cancel`)).toMatchObject({ status: 302, headers: { location: path } })
      await expect.poll(async () => (await staff.get(path)).text, SETTLED).toContain('Canceled. What was imported')
      const ofGroup = { tag: 'tags', key: { in: ['group'] }, value: { in: [group] } } as const
      expect(await app.collection('devices').count(ofGroup)).toBeLessThan(20_000)
      const visible = JSON.parse((await ops.get('/api/devices?perPage=1000')).text) as unknown[]
      expect(visible.length).toBeGreaterThanOrEqual(3)

      const small = await staff.send(upload(group, 'name,serial,building\nOne,SMALL-1,Plant\nTwo,SMALL-2,Plant\n'))
      await expect.poll(async () => (await staff.get(small.headers.location!)).text, SETTLED).toContain('Done')
      expect((await generator('SMALL-1')).attributes.map(({ name }) => name)).toContain('fuelPercent')
      expect((await generator('SMALL-2')).tags).toEqual(
        expect.arrayContaining([
          { key: 'class', value: 'generator' },
          { key: 'group', value: group },
          { key: 'site', value: 'Tacoma' },
        ]),
      )
    })

    test('nothing went wrong on the server meanwhile', () => {
      expect(running.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
    })
  })
}

function upload(groupId: string, csv: string) {
  const part = (head: string, body: string) => `--x7f\r\ncontent-disposition: form-data; ${head}\r\n\r\n${body}\r\n`
  const file = part('name="file"; filename="a.csv"', csv)
  return {
    ...{ method: 'POST', path: '/imports', headers: { 'content-type': 'multipart/form-data; boundary=x7f' } },
    body: `${part('name="groupId"', groupId)}${file}--x7f--\r\n`,
  }
}
