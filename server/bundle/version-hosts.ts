import { isSlug } from '../experience/slug.ts'
import { type AppStore, type Hosts, StoreError } from '../store/port.ts'
import { scopeKey } from '../store/scope.ts'
import { versionsIn } from './items.ts'
import { type Problem, problem } from './problem.ts'
import type { Bundle } from './read.ts'

/** An experience version beside `develop`, and the slug that shows it. */
export interface VersionHost {
  version: string
  slug: string
}

interface VersionWorld {
  app: AppStore
  hosts: Hosts
  /** Of `develop`. */
  slug: string
  bundle: Bundle
}

/**
 * Serves each version of the bundle but `develop` at `<slug>-<version>`, and takes that address from versions that are gone. What
 * was pointed elsewhere by hand stays. A version whose slug is none, or belongs to another application, gets a warning instead.
 */
export async function serveVersions(world: VersionWorld, problems: Problem[]): Promise<VersionHost[]> {
  const { app, hosts, slug: base } = world
  const served: VersionHost[] = []
  for (const version of [...versionsIn(world.bundle)].filter((one) => one !== 'develop').sort()) {
    const slug = `${base}-${version}`
    const refused = await claim(world, { version, slug })
    if (refused === undefined) served.push({ version, slug })
    else problems.push(problem('bundle.host', `experience/${version}`, refused, { severity: 'warning' }))
  }
  for (const { name, version } of await hosts.of(app.scope)) {
    if (name === `${base}-${version}` && !(await exists(app, version))) await hosts.remove(name, app.scope)
  }
  return served
}

/** Gives the reason when there is to be no such address. */
async function claim({ app, hosts }: VersionWorld, { version, slug }: VersionHost): Promise<string | undefined> {
  const help = `Point one at it: headgate version APP ${version} --slug S --point`
  if (!isSlug(slug)) {
    return `Expected a version that makes a slug of 3 to 63 lower-case letters, digits and dashes, got "${slug}". ${help}`
  }
  const host = await hosts.find(slug)
  const own = host !== undefined && scopeKey(host.scope) === scopeKey(app.scope)
  if (own) {
    return host.version === version
      ? undefined
      : `The slug "${slug}" was pointed at "${host.version}", where it stays. ${help}`
  }
  try {
    if (host === undefined) {
      await hosts.put({ name: slug, scope: app.scope, version })
      return undefined
    }
  } catch (error) {
    // Another application took it between the two.
    if (!(error instanceof StoreError) || error.code !== 'conflict') throw error
  }
  return `The slug "${slug}" belongs to another application. ${help}`
}

async function exists(app: AppStore, version: string | undefined): Promise<boolean> {
  if (version === undefined || version === 'develop') return true
  return (
    (await app.collection('experienceVersions').first({ field: 'version', op: 'eq', value: version })) !== undefined
  )
}
