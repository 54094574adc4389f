import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { type ExportedFiles, exportBundle } from '../bundle/export.ts'
import { hostUrlsOf } from '../bundle/host-urls.ts'
import { readBundle } from '../bundle/read.ts'
import { openFolder } from '../bundle/tree.ts'
import { ConfigError, readConfig } from '../config.ts'
import { openStore } from '../store/open.ts'
import { findApplication } from './find-application.ts'
import type { CommandIo } from './io.ts'

/**
 * `export APP DIR`: writes an application as a folder; APP is its slug or id. DIR is new, empty, or holds an earlier export,
 * of which files that are no part of the application any more are removed.
 */
export async function exportCommand(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true, options: {} })
  const [name, dir] = positionals
  if (name === undefined || dir === undefined || positionals.length > 2) {
    throw new ConfigError('Expected an application and a folder: export APP DIR')
  }
  const config = readConfig(io.env)
  const store = await openStore(config.storeUrl, config.storeFile)
  try {
    const found = await findApplication(store, name)
    const files = await exportBundle(store.app(found.scope), { hostUrls: hostUrlsOf(config, found.slug) })
    const stale = await staleFiles(dir, files)
    await writeFolder(dir, files)
    for (const path of stale) await rm(join(dir, path))
    io.out(`Wrote ${files.size} files to ${dir}${stale.length > 0 ? ` and removed ${stale.length}` : ''}`)
    return 0
  } finally {
    await store.close()
  }
}

/** What an earlier export left in the folder and this one does not write. Throws ConfigError for a folder of other things. */
async function staleFiles(dir: string, files: ExportedFiles): Promise<string[]> {
  const entries = await readdir(dir).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new ConfigError(`Expected a folder, got ${dir} (${error.message})`)
  })
  if (entries.filter((one) => !one.startsWith('.')).length === 0) return []
  if (!entries.includes('application.yaml')) {
    throw new ConfigError(`Expected a new or empty folder, or one with an earlier export, got ${dir}`)
  }
  const bundle = await readBundle(await openFolder(dir))
  const parts = [
    ...bundle.sources.keys(),
    ...bundle.resources.flatMap(({ kind, text }) => (text && kind.supported ? [text.file] : [])),
    ...bundle.assets.map((one) => one.file.path),
  ]
  const unsupported = new Set(bundle.resources.filter((one) => !one.kind.supported).map((one) => one.file))
  return [...new Set(parts)].filter((path) => !files.has(path) && !unsupported.has(path))
}

async function writeFolder(dir: string, files: ExportedFiles): Promise<void> {
  const root = resolve(dir)
  await mkdir(root, { recursive: true })
  for (const [path, content] of files) {
    const target = resolve(root, path)
    if (!target.startsWith(root + sep)) throw new ConfigError(`The file ${JSON.stringify(path)} would leave the folder`)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, typeof content === 'string' ? content : await content())
  }
}
