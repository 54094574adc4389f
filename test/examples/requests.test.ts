import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, type ClientRequest, clientOf } from '../helpers/client.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'
import { stacks } from '../helpers/stacks.ts'

interface ReplayedRequest extends ClientRequest {
  name: string
  /** E-mail address of the user to sign in as. */
  as?: string
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
    let names: Map<string, string>

    beforeAll(async () => {
      running = await startServer({ folders: [join(root, example)], stack })
      names = await namesOf(running)
    })
    afterAll(() => running.close())

    // Each request is signed in anew, though not with a new check of the password.
    async function clientFor(email: string | undefined): Promise<Client> {
      const { port, applications } = running
      const client = clientOf(port, applications[0]!.host)
      if (email === undefined) return client
      const session = sessions.get(email)
      if (session === undefined) {
        expect(await client.login(email, PASSWORD)).toMatchObject({ status: 302 })
        sessions.set(email, [...client.cookies])
      } else for (const [name, value] of session) client.cookies.set(name, value)
      return client
    }

    test.each(requests.map((request) => [request.name, request] as const))('%s', async (_, template) => {
      const request = fill(template, names)
      const client = await clientFor(request.as)
      const answer = await client.send(request)
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

/** `device:<name>`, `group:<name>` and `user:<e-mail>` to their ids. */
async function namesOf({ store, applications }: TestServer): Promise<Map<string, string>> {
  const app = store.app(applications[0]!.scope)
  const names = new Map([['password', PASSWORD]])
  for await (const { id, name } of app.collection('devices').each()) names.set(`device:${name}`, id)
  for await (const { id, name } of app.collection('groups').each()) names.set(`group:${name}`, id)
  for await (const { id, email } of app.collection('users').each()) names.set(`user:${email}`, id)
  return names
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
