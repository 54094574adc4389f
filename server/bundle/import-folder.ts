import { basename, resolve } from 'node:path'
import { openTemplates } from '../../engine/template.ts'
import { catalog } from '../../nodes/index.ts'
import type { CommandIo } from '../cli/io.ts'
import { ConfigError, readConfig } from '../config.ts'
import type { Store } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'
import { hostUrlsOf } from './host-urls.ts'
import { type ImportReport, importBundle, scopeOf, slugOf } from './import.ts'
import type { PasswordOptions, SignIn } from './import-passwords.ts'
import type { Edits } from './plan.ts'
import { type ParseCache, readBundle } from './read.ts'
import { printProblems } from './report.ts'
import { openFolder } from './tree.ts'

/** The tenant that everything belongs to which is imported from the command line. */
export const localTenant = 'local'

/** An application as it was imported. */
export interface ImportedFolder {
  scope: Scope
  name: string
  /** Its host name, without the port. */
  host: string
  /** Those of its other experience versions. */
  versions: { version: string; host: string }[]
  /** E-mail addresses of its users. */
  users: string[]
  signIn: SignIn
}

export interface FolderOptions extends PasswordOptions {
  store: Store
  /** `DIR` or `DIR=slug`; the slug defaults to `slug`, then to the name of the folder. */
  folder: string
  slug?: string
  edits?: Edits
  /** Of this folder alone: makes the next import of it faster. */
  parsed?: ParseCache
  io: CommandIo
}

/** Imports a folder. Throws ConfigError when it cannot be imported; its errors are then on `io.err`. */
export async function importFolder(options: FolderOptions): Promise<ImportedFolder> {
  const { report, sources } = await reportFolder(options)
  const { io, folder } = options
  if (!report.imported) {
    const errors = report.problems.filter((one) => one.severity === 'error')
    for (const line of printProblems(errors, sources)) io.err(line)
    throw new ConfigError(`${folder.split('=')[0]} was not imported: mend the errors above and try again`)
  }
  for (const line of printProblems(report.problems.filter((one) => one.code === 'bundle.host'))) io.err(line)
  const { scope, name, users, signIn, slug, versionHosts } = report
  const hostOf = (label: string) => `${label}.${readConfig(io.env).baseDomain}`
  const versions = versionHosts.map((one) => ({ version: one.version, host: hostOf(one.slug) }))
  return { scope, name, users, signIn, host: hostOf(slug), versions }
}

/**
 * Imports a folder; what is wrong with it is in the report, `sources` are the texts of its resource files. Throws
 * ConfigError when there is no such folder.
 */
export async function reportFolder(
  options: FolderOptions,
): Promise<{ report: ImportReport; sources: ReadonlyMap<string, string> }> {
  const { store, folder, password, passwordFor, passwordBook, edits, io } = options
  const { dir, slug: given } = splitFolder(folder)
  const tree = await openFolder(dir).catch((error: Error) => {
    throw new ConfigError(`Expected a folder that holds an application, got ${dir} (${error.message})`)
  })
  const bundle = await readBundle(tree, options.parsed)
  const slug = given ?? options.slug ?? slugOf(basename(resolve(dir)))
  const scope = await scopeOf(store, slug, localTenant)
  const report = await importBundle({
    ...{ store, scope, bundle, slug, password, passwordFor, passwordBook, edits, catalog },
    templates: openTemplates(),
    hostUrls: hostUrlsOf(readConfig(io.env), slug),
    now: () => Date.now(),
  })
  return { report, sources: bundle.sources }
}

/** `DIR` or `DIR=slug` in its parts. */
export function splitFolder(folder: string): { dir: string; slug?: string } {
  const match = /^(.+)=([^/\\=]+)$/.exec(folder)
  return match ? { dir: match[1]!, slug: match[2]! } : { dir: folder }
}
