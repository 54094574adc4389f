import { ConfigError } from '../config.ts'
import type { Store } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'

/** The application with a slug or an id, and its first slug. Throws ConfigError when there is none, or more than one. */
export async function findApplication(store: Store, name: string): Promise<{ scope: Scope; slug: string }> {
  const host = await store.hosts.find(name)
  if (host) return { scope: host.scope, slug: name }
  const [scope, another] = (await store.applications()).filter((one) => one.application === name)
  if (scope === undefined) throw new ConfigError(`Expected the slug or id of an application, got "${name}"`)
  if (another) throw new ConfigError(`Expected an id that one application has, got "${name}". Name a slug instead.`)
  const [first] = await store.hosts.of(scope)
  return { scope, slug: first?.name ?? name }
}
