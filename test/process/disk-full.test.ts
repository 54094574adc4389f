import { execFile, spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openSqlite } from '../../server/store/sqlite.ts'
import { clientOf } from '../helpers/client.ts'
import { PASSWORD } from '../helpers/server.ts'
import { requireOrSkip } from '../helpers/services-needed.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { cli } from './server-process.ts'

const prlimit = spawnSync('prlimit', ['--version']).status === 0
const describe = requireOrSkip('prlimit', prlimit, 'Install util-linux (Linux alone has it).')

/** No file that the process writes may grow beyond: what the system says no to, as it does when the disk is full. */
async function limitFiles(pid: number, bytes: number | 'unlimited'): Promise<void> {
  await promisify(execFile)('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`])
}

async function acknowledgedIn(file: string) {
  const store = await openSqlite({ file })
  const app = store.app((await store.hosts.find('generators'))!.scope)
  const emails: string[] = []
  for await (const { email } of app.collection('users').each()) emails.push(email)
  const group = await app.collection('groups').first({ field: 'name', op: 'eq', value: 'San Bruno' })
  await store.close()
  return { emails, group: group!.id }
}

describe('a disk that takes no more', () => {
  test('writes are refused, reads go on, nothing acknowledged is lost, and room is used without a restart', {
    timeout: 120_000,
  }, async () => {
    const DATA_DIR = await temporaryFolder()
    const file = join(DATA_DIR, 'headgate.db')
    const server = cli(['start', '--password', PASSWORD], { DATA_DIR })
    const port = await server.port()
    const client = clientOf(port, 'generators.localhost')
    expect(await client.login('global@tekton.example', PASSWORD)).toMatchObject({ status: 302 })
    const { group } = await acknowledgedIn(file)
    const acknowledged: string[] = []
    let number = 0
    async function add() {
      const email = `person-${++number}@tekton.example`
      const json = { email, password: 'A-first-password', groupId: group }
      const answer = await client.send({ method: 'POST', path: '/admin/users', json })
      if (answer.status === 201) acknowledged.push(email)
      return answer
    }
    async function addUntil(status: number) {
      for (let tries = 1; ; tries++) {
        const answer = await add()
        if (answer.status === status) return answer
        expect([answer.status, tries <= 500]).toEqual([201, true])
      }
    }
    expect(await add()).toMatchObject({ status: 201 })

    const { size } = await stat(`${file}-wal`)
    await limitFiles(server.child.pid!, size + 200_000)
    const refused = await addUntil(503)
    expect(refused.headers['retry-after']).toBe('5')
    expect(refused.text).not.toMatch(/disk|sqlite|store/i)
    const [line] = server.err.filter((one) => one.includes('disk I/O error'))
    expect(JSON.parse(line!)).toMatchObject({
      err: { code: 'unavailable', message: expect.stringContaining('disk I/O') },
    })
    for (let n = 0; n < 20; n++) {
      expect(await add()).toMatchObject({ status: 503 })
      const list = await client.get('/api/devices')
      expect(list).toMatchObject({ status: 200, text: expect.stringContaining('"name"') })
    }
    expect(await clientOf(port, 'localhost').get('/healthz')).toMatchObject({ status: 200 })

    await limitFiles(server.child.pid!, 'unlimited')
    for (let n = 0; n < 5; n++) expect(await add()).toMatchObject({ status: 201 })
    expect(server.child.exitCode).toBeNull()
    server.child.kill('SIGKILL')
    await server.ended
    const { emails } = await acknowledgedIn(file)
    expect(emails.filter((email) => email.startsWith('person-')).sort()).toEqual(acknowledged.toSorted())
  })
})
