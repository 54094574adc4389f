import { parseArgs } from 'node:util'
import { Refusal } from '../../nodes/services/listing.ts'
import { ConfigError, readConfig } from '../config.ts'
import { createVersion, deleteVersion, pointHosts, type VersionWorld } from '../experience/versions.ts'
import { openStore } from '../store/open.ts'
import { findApplication } from './find-application.ts'
import type { CommandIo } from './io.ts'

const usage = 'version APP NAME [--slug S]... [--description D] [--point] [--delete]'

/**
 * `version APP NAME`: keeps the experience of an application as it is now under a name; the hosts named by `--slug` show it from
 * then on. `--point` points hosts at a version that is there, `--delete` removes it. A running server takes it up at once.
 */
export async function versionCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      slug: { type: 'string', multiple: true, default: [] },
      description: { type: 'string' },
      point: { type: 'boolean', default: false },
      delete: { type: 'boolean', default: false },
    },
  })
  const [name, version] = positionals
  if (name === undefined || version === undefined || positionals.length > 2 || (values.point && values.delete)) {
    throw new ConfigError(`Expected an application and the name of a version: ${usage}`)
  }
  if (values.delete && values.slug.length > 0) throw new ConfigError('--delete: expected no --slug')
  if (values.point && values.slug.length === 0) throw new ConfigError('--point: expected a --slug')
  const config = readConfig(io.env)
  const store = await openStore(config.storeUrl, config.storeFile)
  try {
    const { scope } = await findApplication(store, name)
    const world = { app: store.app(scope), hosts: store.hosts }
    if (values.delete) io.out(await remove(world, version))
    else {
      if (values.point) await pointHosts(world, version, values.slug)
      else io.out(await make(world, { ...values, version }))
      for (const slug of values.slug) io.out(`${slug} shows ${version}`)
    }
    return 0
  } catch (error) {
    throw error instanceof Refusal ? new ConfigError(error.message) : error
  } finally {
    await store.close()
  }
}

async function make(
  world: VersionWorld,
  { version, description, slug }: { version: string; description?: string; slug: string[] },
): Promise<string> {
  const { endpoints, views, flows } = await createVersion(world, { version, description, slugs: slug })
  return `Made ${version} of develop: ${endpoints} endpoints, ${views} views, ${flows} flows`
}

async function remove(world: VersionWorld, version: string): Promise<string> {
  if (!(await deleteVersion(world, version))) throw new ConfigError(`Expected the name of a version, got "${version}"`)
  const hosts = await world.hosts.of(world.app.scope)
  const left = hosts.filter((one) => one.version === version).map((one) => one.name)
  return `Deleted ${version}${left.length > 0 ? `; ${left.join(', ')} shows nothing until it is pointed elsewhere` : ''}`
}
