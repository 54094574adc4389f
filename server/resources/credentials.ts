import { FlowError } from '../../engine/errors.ts'
import type { Credentials, CredentialType } from '../../nodes/services/credentials.ts'
import { Refusal } from '../../nodes/services/listing.ts'
import { SealError, type Sealer } from '../seal.ts'
import type { CredentialDocument } from '../store/documents/experience.ts'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { refused } from './check.ts'
import { checkSettings, shownSettings } from './credential-fields.ts'
import { again, refusing } from './writing.ts'

/** The credentials of one application: kept sealed, and read by its flows alone. */
export interface CredentialResource extends Credentials {
  /** By name; never their secrets. */
  list(): Promise<CredentialView[]>
  /** Makes a credential, or puts new settings in the place of those that one of this type has. Throws Refusal. */
  set(credential: { name: string; type: CredentialType; settings: unknown }): Promise<CredentialView>
  /** False when there was none. */
  remove(name: string): Promise<boolean>
}

export interface CredentialView {
  id: string
  name: string
  type: string
  /** What of its settings is no secret. */
  settings: Record<string, unknown>
  lastUpdated: string
}

const mostNameChars = 255
const mostCredentials = 1_000

export function openCredentials({ app, sealer }: { app: AppStore; sealer: Sealer }): CredentialResource {
  const collection = app.collection('credentials')
  const named = (name: string) => collection.first({ field: 'name', op: 'eq', value: name })
  // Copied to another name, type or application it cannot be read.
  const placeOf = ({ id, type }: Pick<CredentialDocument, 'id' | 'type'>) =>
    `credential\n${scopeKey(app.scope)}\n${id}\n${type}`

  return {
    async list() {
      const found = await collection.find({ sort: { field: 'name', direction: 'asc' }, limit: mostCredentials })
      return found.map(toView)
    },

    async set({ name, type, settings }) {
      if (name.trim() === '' || name.length > mostNameChars) {
        throw refused('name', `text of 1 to ${mostNameChars} characters`, name)
      }
      const checked = checkSettings(type, settings)
      const shown = shownSettings(type, checked)
      const seal = (id: string) => sealer.seal(JSON.stringify(checked), placeOf({ id, type }))
      return await again(async () => {
        const before = await named(name)
        if (before === undefined) {
          if ((await collection.count()) >= mostCredentials) {
            throw new Refusal('Validation', `Expected at most ${mostCredentials} credentials of an application`)
          }
          const id = newId()
          const document = { id, name, type, shown, sealed: seal(id) }
          return toView(await refusing(collection.insert(document), `"${name}" is there already: try again`))
        }
        if (before.type !== type) {
          throw new Refusal(
            'AlreadyExists',
            `Expected another name: "${name}" is of the type ${before.type}. Remove it first to change its type`,
          )
        }
        const change = { shown, sealed: seal(before.id) }
        return toView(await refusing(collection.update(before.id, change, { revision: before.revision }), ''))
      })
    },

    async remove(name) {
      const found = await named(name)
      return found !== undefined && (await collection.remove(found.id))
    },

    async get(name, type) {
      const found = await named(name)
      const shown = name.slice(0, 100)
      const how = `headgate credential set APP ${JSON.stringify(shown)} ${type}`
      if (found?.type !== type) {
        const got = found === undefined ? 'none' : `one of the type ${found.type}`
        const message = `Expected a credential "${shown}" of the type ${type}, got ${got}. Make it with: ${how}`
        throw new FlowError('credential.missing', message)
      }
      try {
        return checkSettings(type, JSON.parse(sealer.open(found.sealed, placeOf(found))))
      } catch (error) {
        if (!(error instanceof SealError)) throw error
        const why = error.otherKey ? 'was stored under another SECRET_KEY' : 'was changed in the store'
        throw new FlowError('credential.unreadable', `The credential "${shown}" ${why}. Store it again: ${how}`)
      }
    },
  }
}

function toView({ id, name, type, shown, lastUpdated }: CredentialDocument): CredentialView {
  return { id, name, type, settings: shown, lastUpdated: new Date(lastUpdated).toISOString() }
}
