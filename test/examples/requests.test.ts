import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, type ClientRequest, clientOf } from '../helpers/client.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'
import { stacks } from '../helpers/stacks.ts'

interface ReplayedRequest extends ClientRequest {
  name: string
  /** E-mail address of the user to sign in as: always in `develop`, whatever is asked afterwards. */
  as?: string
  /** The experience version whose address is asked; default `develop`. */
  host?: string
  /** Asked again until the answer has this text: of what takes a while. */
  until?: string
  expect: {
    status: number
    /** Header to a part of its value. */
    headers?: Record<string, string>
    contains?: string[]
    notContains?: string[]
    json?: unknown
    jsonLength?: number
  }
}

const root = join(import.meta.dirname, '../../examples')
const examples = ['generators', 'one-to-many', 'many-to-many']

for (const [example, stack] of examples.flatMap((one) => stacks.map((stack) => [one, stack] as const))) {
  describe(`examples/${example} on ${stack.name}`, () => {
    const file = readFileSync(join(root, example, 'requests.json'), 'utf8')
    const { requests } = JSON.parse(file) as { requests: ReplayedRequest[] }
    const sessions = new Map<string, [string, string][]>()
    let running: TestServer
    // What is gone keeps its name: a claim code that was used is still known.
    const names = new Map([['password', PASSWORD]])

    beforeAll(async () => {
      running = await startServer({ folders: [join(root, example)], stack })
    })
    afterAll(() => running.close())

    // Each request is signed in anew, though not with a new check of the password.
    async function clientFor({ as: email, host }: ReplayedRequest): Promise<Client> {
      const { port, applications } = running
      const { host: main, versions } = applications[0]!
      const wanted = host === undefined ? main : versions.find(({ version }) => version === host)?.host
      if (wanted === undefined) throw new Error(`requests.json asks for the version "${host}", which is not served`)
      const client = clientOf(port, wanted)
      if (email === undefined) return client
      if (!sessions.has(email)) {
        const visitor = clientOf(port, main)
        expect(await visitor.login(email, PASSWORD)).toMatchObject({ status: 302 })
        sessions.set(email, [...visitor.cookies])
      }
      for (const [name, value] of sessions.get(email)!) client.cookies.set(name, value)
      return client
    }

    test.each(requests.map((request) => [request.name, request] as const))('%s', async (_, template) => {
      if (JSON.stringify(template).includes('${')) await learnNames(names, running)
      const request = fill(template, names)
      const client = await clientFor(request)
      let answer = await client.send(request)
      const { until } = request
      if (until !== undefined) {
        const ask = async () => {
          answer = await client.send(request)
          return answer.text
        }
        await expect.poll(ask, { timeout: 20_000 }).toContain(until)
      }
      const { status, headers = {}, contains = [], notContains = [], json, jsonLength } = request.expect
      expect({ status: answer.status, text: answer.status === status ? '' : answer.text }).toEqual({ status, text: '' })
      for (const [name, part] of Object.entries(headers)) expect(String(answer.headers[name])).toContain(part)
      for (const part of contains) expect(answer.text).toContain(part)
      for (const part of notContains) expect(answer.text).not.toContain(part)
      if (json !== undefined) expect(JSON.parse(answer.text)).toMatchObject(json as object)
      if (jsonLength !== undefined) expect(JSON.parse(answer.text)).toHaveLength(jsonLength)
    })

    test('nothing went wrong on the server meanwhile', () => {
      expect(running.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
    })
  })
}

/** Adds what is there now: `device:<name>`, `group:<name>`, `code:<name of a device>`, `job:<kind>` (the latest). */
async function learnNames(names: Map<string, string>, { store, applications }: TestServer): Promise<void> {
  const app = store.app(applications[0]!.scope)
  for await (const { id, name, tags } of app.collection('devices').each()) {
    names.set(`device:${name}`, id)
    const code = tags.find(({ key }) => key === 'claimCode')?.value
    if (code !== undefined) names.set(`code:${name}`, code)
  }
  for await (const { id, name } of app.collection('groups').each()) names.set(`group:${name}`, id)
  for await (const { id, email } of app.collection('users').each()) names.set(`user:${email}`, id)
  for await (const { id, kind } of app.collection('jobs').each()) names.set(`job:${kind}`, id)
}

/** Puts ids in the place of `${device:Name}`. Throws for a name that the application does not have. */
function fill<T>(request: T, names: Map<string, string>): T {
  const text = JSON.stringify(request).replace(/\$\{([^}]+)\}/g, (_, name: string) => {
    const id = names.get(name)
    if (id === undefined) throw new Error(`requests.json names "${name}", which the application does not have`)
    return id
  })
  return JSON.parse(text) as T
}
