import { readdir, readFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobDocument } from '../../server/store/documents/jobs.ts'
import type { NewDocument } from '../../server/store/port.ts'
import { type Client, clientOf } from '../helpers/client.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'
import { stacks } from '../helpers/stacks.ts'
import { type Unzipped, unzip } from '../server/jobs/unzip.ts'

const [norcal, sanbruno, ops] = ['norcal@tekton.example', 'sanbruno@tekton.example', 'ops@sadler.example']
const READY = { timeout: 30_000, interval: 100 }

for (const stack of stacks) {
  describe(`exports of the generators on ${stack.name}`, { timeout: 60_000 }, () => {
    let running: TestServer
    const clients = new Map<string, Client>()

    beforeAll(async () => {
      running = await startServer({ folders: ['examples/generators'], stack })
      for (const email of [norcal, sanbruno, ops]) {
        const client = clientOf(running.port, running.applications[0]!.host)
        expect(await client.login(email, PASSWORD)).toMatchObject({ status: 302 })
        clients.set(email, client)
      }
    })
    afterAll(() => running.close())

    test.each([
      { who: sanbruno, group: '', devices: numbered('San Bruno', 4) },
      { who: norcal, group: 'Oakland', devices: numbered('Oakland', 3) },
      { who: ops, group: '', devices: [...numbered('Boise', 1), ...numbered('Tacoma', 2)] },
    ])('$who presses the button, watches, and downloads exactly $devices', async ({ who, group, devices }) => {
      const client = clients.get(who)!
      const form = { groupId: group === '' ? '' : await groupId(running, group) }
      const pressed = await client.send({ method: 'POST', path: '/export', form })
      expect(pressed).toMatchObject({ status: 302, headers: { location: '/exports' } })

      await expect.poll(async () => (await client.get('/exports')).text, READY).toContain('>Ready<')
      const page = (await client.get('/exports')).text
      expect(page).not.toContain('data-exports')
      const path = /href="(\/_exports\/[0-9a-f]{24})"/.exec(page)![1]!
      const [listed] = JSON.parse((await client.get('/api/exports')).text)
      expect(listed).toMatchObject({ status: 'done', percent: 100, devices: devices.length, downloadPath: path })

      const files = await download(running, client, path)
      const list = files
        .find(({ path: name }) => name === 'devices.csv')!
        .text.trim()
        .split('\n')
        .slice(1)
      expect(list.map((line) => line.split(',')[1]).sort()).toEqual(devices)
      const histories = files.map(({ path: name }) => name).filter((name) => name.startsWith('data/'))
      for (const name of histories) expect(devices.some((device) => name.startsWith(`data/${device}`))).toBe(true)

      for (const [email, other] of clients) {
        if (email !== who) expect((await other.send({ path, method: 'HEAD' })).status).toBe(404)
      }
      const stranger = await clientOf(running.port, running.applications[0]!.host).get(path)
      expect(stranger).toMatchObject({
        status: 302,
        headers: { location: `/login?redirect=${encodeURIComponent(path)}` },
      })

      await expect.poll(() => mailsTo(running, who), READY).toHaveLength(1)
      const [mail] = await mailsTo(running, who)
      expect(mail).toContain(`http://${running.applications[0]!.host}:${running.port}${path}`)
    })

    test('nobody sees or ends the export of another', async () => {
      const app = running.store.app(running.applications[0]!.scope)
      const user = await app.collection('users').first({ field: 'email', op: 'eq', value: norcal })
      const job = await app.collection('jobs').insert(waitingExport(user!.id))
      const cancel = (client: Client) =>
        client.send({ method: 'POST', path: '/exports/cancel', form: { jobId: job.id } })
      expect((await clients.get(norcal)!.get('/api/exports')).text).toContain(job.id)
      for (const email of [sanbruno, ops]) {
        const client = clients.get(email)!
        expect((await client.get('/api/exports')).text).not.toContain(job.id)
        expect((await client.get('/exports')).text).not.toContain(job.id)
        expect(await cancel(client)).toMatchObject({ status: 302, headers: { location: '/exports?ended=yes' } })
        expect((await app.collection('jobs').get(job.id))?.status).toBe('queued')
      }
      expect(await cancel(clients.get(norcal)!)).toMatchObject({ status: 302, headers: { location: '/exports' } })
      expect((await app.collection('jobs').get(job.id))?.status).toBe('canceled')
      expect((await clients.get(norcal)!.get('/exports')).text).toContain('Canceled')
    })

    test('nothing went wrong on the server meanwhile', () => {
      expect(running.log.filter(({ level }) => Number(level) >= 40)).toEqual([])
    })
  })
}

function numbered(site: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${site} Generator ${i + 1}`)
}

async function groupId({ store, applications }: TestServer, name: string): Promise<string> {
  const groups = store.app(applications[0]!.scope).collection('groups')
  return (await groups.first({ field: 'name', op: 'eq', value: name }))!.id
}

/** An export that does not begin before an hour from now. */
function waitingExport(userId: string): NewDocument<JobDocument> {
  return {
    ...{ kind: 'data-export', key: `waits for ${userId}`, status: 'queued', attempts: 0, progress: { completed: 0 } },
    ...{ dueAt: Date.now() + 3_600_000, requestedBy: { type: 'experienceUser', id: userId } },
    input: { subject: { kind: 'experienceUser', id: userId }, start: 0, end: 1, origin: '', mail: false },
  }
}

function download({ port, applications }: TestServer, { cookies }: Client, path: string): Promise<Unzipped[]> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return new Promise((resolve, reject) => {
    const headers = { host: `${applications[0]!.host}:${port}`, cookie }
    const request = http.get({ host: '127.0.0.1', port, path, headers }, async (response) => {
      try {
        expect(response).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/zip' } })
        const parts: Buffer[] = []
        for await (const part of response) parts.push(part as Buffer)
        resolve(await unzip(Buffer.concat(parts)))
      } catch (error) {
        reject(error)
      }
    })
    request.on('error', reject)
  })
}

async function mailsTo({ config }: TestServer, to: string): Promise<string[]> {
  const outbox = join(config.dataDir, 'outbox')
  const names = (await readdir(outbox).catch(() => [])).filter((name) => name.endsWith('.eml'))
  const texts = await Promise.all(names.map((name) => readFile(join(outbox, name), 'utf8')))
  const mails = texts.map((text) => text.replace(/=\r?\n/g, '').replaceAll('=3D', '='))
  return mails.filter((mail) => mail.includes(`To: ${to}`) && mail.includes('Your data export is ready'))
}
