import type { Host } from './documents.ts'
import { type Connection, isDuplicate } from './mongo-client.ts'
import { appKeyOf, scopeOf } from './mongo-document.ts'
import type { Turns } from './mongo-turns.ts'
import { type Hosts, StoreError } from './port.ts'

interface StoredHost {
  /** The name. */
  _id: string
  app: string
  version: string | null
}

/** The host names of the whole store. */
export function openHosts(connection: Connection, turns: Turns): Hosts {
  const table = () => connection.collection<StoredHost>('hosts')
  const lockOf = (name: string) => `host\n${name}`
  return {
    find: (name) =>
      connection.ask(async () => {
        const found = await table().findOne({ _id: name })
        return found === null ? undefined : toHost(found)
      }),

    put: ({ name, scope, version: given }) =>
      turns.alone(lockOf(name), async () => {
        const app = appKeyOf(scope)
        const version = given ?? null
        const moved = await table().updateOne({ _id: name, app }, { $set: { version } })
        if (moved.matchedCount > 0) return
        try {
          await table().insertOne({ _id: name, app, version })
        } catch (cause) {
          if (!isDuplicate(cause)) throw cause
          const again = await table().updateOne({ _id: name, app }, { $set: { version } })
          if (again.matchedCount > 0) return
          const message = `The host name "${name}" is taken by another application. Choose another.`
          throw new StoreError('conflict', message, { cause })
        }
      }),

    of: (scope) =>
      connection.ask(async () => {
        const found = await table()
          .find({ app: appKeyOf(scope) }, { sort: { _id: 1 } })
          .toArray()
        return found.map(toHost)
      }),

    remove: (name, scope) =>
      turns.alone(lockOf(name), async () => {
        await table().deleteOne({ _id: name, app: appKeyOf(scope) })
      }),
  }
}

function toHost({ _id, app, version }: StoredHost): Host {
  const host: Host = { name: _id, scope: scopeOf(app) }
  return version === null ? host : { ...host, version }
}
