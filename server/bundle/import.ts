import { randomBytes } from 'node:crypto'
import { Refusal } from '../../nodes/services/listing.ts'
import { isSlug } from '../experience/slug.ts'
import { newWebhookToken } from '../experience/webhook-token.ts'
import type { ApplicationDocument, GlobalValue, OriginDocument } from '../store/documents/experience.ts'
import type { DataTableDocument } from '../store/documents/tables.ts'
import { newId } from '../store/id.ts'
import { type Store, StoreError } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'
import { tenancyWrite } from '../tenancy/write.ts'
import { storeAssets } from './assets.ts'
import { build } from './build.ts'
import { type CheckOptions, type CheckResult, checkBundle } from './check.ts'
import { checkGroupIds, checkGroups } from './check-groups.ts'
import { identify, loadOrigins, openOriginals, originKey, type Placed } from './identify.ts'
import { openPasswords, type PasswordFields, type PasswordOptions, type SignIn } from './import-passwords.ts'
import { type Item, itemsOf } from './items.ts'
import { type Edits, type Plan, planDocument, planOrigin, planRemovals } from './plan.ts'
import { type Problem, problem } from './problem.ts'
import type { Bundle, Resource } from './read.ts'
import { declarationsOf, type HostUrls, isReference, type Substitution, substitution } from './references.ts'
import { rowOperations } from './tables.ts'
import { serveVersions, type VersionHost } from './version-hosts.ts'
import { webhookAddresses, webhookToken } from './webhook-tokens.ts'

export interface ImportOptions extends CheckOptions, PasswordOptions {
  store: Store
  /** The application to make or to update. */
  scope: Scope
  bundle: Bundle
  /** The host name of the application, without the base domain. */
  slug: string
  hostUrls: HostUrls
  /** Default `replace`. */
  edits?: Edits
  now(): number
}

export interface ImportReport extends CheckResult {
  /** False: there are errors among the problems, and nothing was written. */
  imported: boolean
  scope: Scope
  slug: string
  name: string
  /** E-mail addresses of the users in the bundle. */
  users: string[]
  /** Empty as long as nothing was imported. */
  signIn: SignIn
  /** Experience versions beside `develop` that the folder holds, and the slugs that they are served at. */
  versionHosts: VersionHost[]
  /** The webhooks of the application, and where they are called: whoever knows the address may. */
  webhooks: { name: string; url: string }[]
  changes: Plan['changes']
}

/** The scope that a slug opens in a tenant; that of a new application when nothing has the slug. */
export async function scopeOf(store: Store, slug: string, tenant: string): Promise<Scope> {
  const host = await store.hosts.find(slug)
  return host?.scope.tenant === tenant ? host.scope : { tenant, application: newId() }
}

/** A slug made of a name: lower-case letters, digits and dashes, 3 to 63 of them. */
export function slugOf(name: string): string {
  const plain = name.toLowerCase().replace(/[^0-9a-z]+/g, '-')
  const slug = plain.slice(0, 63).replace(/^-|-$/g, '')
  return slug.length >= 3 ? slug : `app-${slug}`.replace(/-$/, '')
}

/**
 * Makes an application of a bundle, or makes it be as the bundle says. All or nothing: it is checked and built first and
 * written in one batch. A second import keeps ids, so that state, passwords and what was added by hand stay; flows,
 * views, endpoints and files that are gone from the bundle are removed, users, groups, devices and tables never. What an author
 * can mend is among the problems; rejects with StoreError only.
 */
export async function importBundle(options: ImportOptions): Promise<ImportReport> {
  const { store, scope, bundle, slug } = options
  const app = store.app(scope)
  const origins = await loadOrigins(app)
  const current = await app.collection('application').get(scope.application)
  const report = { ...startReport(options), ...checkBundle(bundle, options) }
  report.problems.push(...(await checkGroups(bundle)), ...(await checkGroupIds(bundle, app)))
  report.problems.push(...(await conflictsOf(options, current, [...origins.values()])))
  if (report.problems.some((one) => one.severity === 'error')) return report

  const plan: Plan = { operations: [], changes: report.changes }
  const places = await identify(app, itemsOf(bundle), origins)
  const placed = [...places.values()]
  const ids = planTokens(plan, { bundle, scope, placed, origins })
  const context = {
    substitution: substitution(ids, options.hostUrls),
    idOf: (item: Item) => places.get(item)!.id,
    originalOf: openOriginals(places),
    currentOf: (item: Item) => places.get(item)!.current,
  }
  planApplication(plan, { options, current, origins, substitution: context.substitution })
  const passwords = openPasswords(options)
  const secretFields = async (one: Placed): Promise<Record<string, unknown>> => {
    const { item, current } = one
    if (item.collection === 'webhooks') return webhookToken(one, { ids, application: scope.application })
    if (item.collection !== 'users') return {}
    const { email, password } = item.resource!.value
    const own = typeof password === 'string' ? password : undefined
    return {
      ...(await passwords.fieldsOf({ email: String(email), own, current: current as PasswordFields | undefined })),
    }
  }
  const unused = await planRemovals(plan, { app, origins: origins.values(), placed })
  // Before anything of it is there: who dies in between finds the place again by the slug, and makes no second application.
  const named = (await store.hosts.find(slug)) !== undefined
  if (!named) await store.hosts.put({ name: slug, scope, version: 'develop' })
  const assets = await storeAssets(app, placed)
  try {
    for (const one of placed) {
      const built = assets.built.get(one.item) ?? build(one.item, context)
      const target = { ...one, collection: one.item.collection, key: one.item.key }
      const extra = await secretFields(one)
      const isNews = planDocument(plan, target, { built, edits: options.edits ?? 'replace', extra })
      if (one.item.collection === 'dataTables' && isNews) {
        const table = { ...built.fields, id: one.id } as unknown as DataTableDocument
        const from = { resource: one.item.resource!, isNew: one.current === undefined, now: options.now() }
        plan.operations.push(...(await rowOperations(app, table, { ...from, ...context })))
      }
    }
    if (plan.operations.length > 0) await tenancyWrite(app, plan.operations)
  } catch (error) {
    await assets.discard()
    report.problems.push(problemOf(error, plan, placed))
    if (!named) await store.hosts.remove(slug, scope)
    return { ...report, changes: {} }
  }
  await assets.clean()
  for (const blob of unused) await app.blobs.remove(blob)
  const versionHosts = await serveVersions({ app, hosts: store.hosts, slug, bundle }, report.problems)
  const webhooks = await webhookAddresses(app, options.hostUrls)
  return { ...report, imported: true, signIn: passwords.signIn, versionHosts, webhooks }
}

// What tenancy refuses, and names that others have, are for the author to mend; everything else is not.
function problemOf(error: unknown, plan: Plan, placed: readonly Placed[]): Problem {
  if (error instanceof Refusal) return problem('resource.field', '', error.message)
  if (!(error instanceof StoreError) || error.code !== 'duplicate') throw error
  const failed = plan.operations[error.details.operation ?? -1]
  const collection = failed === undefined ? 'document' : Object.values(failed)[0]
  const id = failed && ('id' in failed ? failed.id : 'document' in failed ? failed.document.id : undefined)
  const { resource } = placed.find((one) => one.id === id)?.item ?? {}
  const message = `Expected names that are free, but one of the ${collection} belongs to another that was made by hand`
  return problem('bundle.conflict', resource?.file ?? '', message, { pointer: resource?.pointer })
}

function startReport({ bundle, scope, slug }: ImportOptions): Omit<ImportReport, keyof CheckResult> {
  const users = bundle.resources.flatMap(({ kind, value }) =>
    kind.name === 'ExperienceUser' ? String(value.email) : [],
  )
  return {
    imported: false,
    scope,
    slug,
    name: String(applicationOf(bundle)?.value.name ?? bundle.name),
    users,
    signIn: { given: [], other: [], none: [] },
    versionHosts: [],
    webhooks: [],
    changes: {},
  }
}

function applicationOf(bundle: Bundle): Resource | undefined {
  return bundle.resources.find((one) => one.kind.name === 'Application')
}

// A folder of the same name must not overwrite another application.
async function conflictsOf(
  { store, scope, slug, bundle }: ImportOptions,
  current: ApplicationDocument | undefined,
  origins: readonly OriginDocument[],
): Promise<Problem[]> {
  if (!isSlug(slug)) {
    const message = `Expected a slug of 3 to 63 lower-case letters, digits and dashes (not the form of an id), got ${JSON.stringify(slug)}. Give one with --slug.`
    return [problem('bundle.conflict', '', message)]
  }
  const host = await store.hosts.find(slug)
  const application = applicationOf(bundle)
  const file = application?.file ?? ''
  const taken = (by: string) => [
    problem(
      'bundle.conflict',
      file,
      `The slug "${slug}" belongs to another application${by}. Give another with --slug.`,
    ),
  ]
  if (host && (host.scope.tenant !== scope.tenant || host.scope.application !== scope.application)) return taken('')
  const origin = origins.find((one) => one.kind === 'application')
  const other = origin && origin.key !== applicationKey(application) && current?.name !== application?.value.name
  return other ? taken(` ("${current?.name}")`) : []
}

function applicationKey(application: Resource | undefined): string {
  const { id, name } = application?.value ?? {}
  return isReference(id) ? id : `=${name}`
}

/** The id of every token that the bundle declares. What no document stands for has its id in an origin of kind `token`. */
function planTokens(
  plan: Plan,
  world: { bundle: Bundle; scope: Scope; placed: readonly Placed[]; origins: ReadonlyMap<string, OriginDocument> },
): Map<string, string> {
  const ids = new Map<string, string>()
  for (const { item, id } of world.placed) if (item.token !== undefined) ids.set(item.token, id)
  for (const { token, type } of declarationsOf(world.bundle).values()) {
    if (ids.has(token)) continue
    if (type === 'application') ids.set(token, world.scope.application)
    else {
      const origin = world.origins.get(originKey('token', token))
      const made = () => (type === 'webhookToken' ? tokenFor(token, world) : newId())
      const targetId = origin?.targetId ?? made()
      ids.set(token, targetId)
      planOrigin(plan, { kind: 'token', key: token, targetId }, origin)
    }
  }
  return ids
}

// The webhook that a bundle names it for may have been made by hand, or come from elsewhere: its address stays.
function tokenFor(token: string, { placed, scope }: { placed: readonly Placed[]; scope: Scope }): string {
  const webhook = placed.find(({ item }) => item.collection === 'webhooks' && item.resource?.value.token === token)
  return (webhook?.current?.token as string | undefined) ?? newWebhookToken(scope.application)
}

function planApplication(
  plan: Plan,
  world: {
    options: ImportOptions
    current: ApplicationDocument | undefined
    origins: ReadonlyMap<string, OriginDocument>
    substitution: Substitution
  },
): void {
  const { current } = world
  const { bundle, scope, edits = 'replace' } = world.options
  const resource = applicationOf(bundle)!
  const value = world.substitution.value(resource.value)
  const fields = {
    name: value.name as string,
    description: (value.description ?? undefined) as string | undefined,
    globals: (value.globals ?? []) as GlobalValue[],
    blobUrlTTL: (value.blobUrlTTL ?? undefined) as number | undefined,
    readme: bundle.readme && world.substitution.text(bundle.readme.content),
  }
  const origin = [...world.origins.values()].find((one) => one.kind === 'application')
  const target = { collection: 'application', key: applicationKey(resource), id: scope.application, origin } as const
  const extra = current ? {} : { secret: randomBytes(32).toString('base64url') }
  planDocument(plan, { ...target, current: current && { ...current } }, { built: { fields }, edits, extra })
}
