import { isId } from '../store/id.ts'
import type { AppStore, Store } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'
import { perTurn } from './per-turn.ts'

/** The application that a host name opens, in one of its versions. */
export interface ServedHost {
  /** As stored: a slug, a whole domain name or an application id. */
  name: string
  scope: Scope
  version: string
  store: AppStore
}

export interface HostFinder {
  /** What the Host header opens; undefined for a name that is unknown, malformed or points at no version. */
  find(header: string | undefined): Promise<ServedHost | undefined>
  /** The application with an id, whatever the host; undefined for one that is unknown, or that names several. */
  application(id: string): Promise<ServedHost | undefined>
}

/**
 * Finds applications by host name. `<name>.<baseDomain>` is looked up as the slug `name`, or where it has the form of an id as
 * that of an application alone (which opens `develop`): no slug of another takes its place. Any other name is looked up as a
 * whole domain, then as `*.` and what follows its first label.
 */
export function openHosts(options: { store: Store; baseDomain: string; now(): number }): HostFinder {
  const { store, now } = options
  const suffix = `.${options.baseDomain.toLowerCase()}`
  /** Undefined: applications of several tenants have the id, so that it names none. */
  let scopes = new Map<string, Scope | undefined>()
  let readAt = Number.NEGATIVE_INFINITY
  const shared = perTurn<ServedHost | undefined>()

  async function ofApplication(id: string): Promise<ServedHost | undefined> {
    // At most one read a second: made-up ids must not cost a scan of all applications each.
    if (!scopes.has(id) && now() - readAt >= 1000) {
      readAt = now()
      const read = new Map<string, Scope | undefined>()
      for (const scope of await store.applications()) {
        read.set(scope.application, read.has(scope.application) ? undefined : scope)
      }
      scopes = read
    }
    const scope = scopes.get(id)
    return scope && { name: id, scope, version: 'develop', store: store.app(scope) }
  }

  async function stored(name: string): Promise<ServedHost | undefined> {
    const host = await store.hosts.find(name)
    if (host?.version === undefined) return undefined
    return { name: host.name, scope: host.scope, version: host.version, store: store.app(host.scope) }
  }

  async function lookUp(name: string): Promise<ServedHost | undefined> {
    const label = name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined
    if (label !== undefined && !label.includes('.')) {
      return isId(label) ? ofApplication(label) : stored(label)
    }
    // Without a dot it would be read as a slug.
    if (!name.includes('.')) return undefined
    return (await stored(name)) ?? stored(`*${name.slice(name.indexOf('.'))}`)
  }

  return {
    find(header) {
      const name = hostNameOf(header)
      return name === undefined ? Promise.resolve(undefined) : shared(name, () => lookUp(name))
    },
    application: ofApplication,
  }
}

/** The host name of a Host header, lower case, without port and trailing dot; undefined when it is not a host name. */
export function hostNameOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 260) return undefined
  return /^([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\.?(?::\d{1,5})?$/.exec(header.toLowerCase())?.[1]
}
