import { execFile } from 'node:child_process'
import { access, chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const version = 'v1.24.2'
const module = 'github.com/FerretDB/FerretDB'
const cached = join(import.meta.dirname, '../../node_modules/.cache/headgate', `ferretdb-${version}`)
const minutes = 60_000

/**
 * Path of FerretDB with its SQLite backend: kept from an earlier run, else built with `go` (a minute). Rejects when that cannot be
 * done. `go install` of it fails: its tags carry versions that the module proxy refuses to list, and the program wants a file
 * that releases write.
 */
export async function ferretdb(): Promise<string> {
  const built = await access(cached).then(
    () => true,
    () => false,
  )
  if (!built) await build()
  return cached
}

async function build() {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-ferretdb-'))
  try {
    await writeFile(join(folder, 'go.mod'), `module build\n\ngo 1.22\n\nrequire ${module} ${version}\n`)
    const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' }
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd: folder, env })
    const source = join(folder, 'source')
    await cp((JSON.parse(stdout) as { Dir: string }).Dir, source, { recursive: true })
    await allowWrites(source)
    await writeFile(join(source, 'build/version/version.txt'), version)
    const program = join(folder, 'ferretdb')
    const options = { cwd: source, env, timeout: 10 * minutes }
    await run('go', ['build', '-buildvcs=false', '-o', program, './cmd/ferretdb'], options)
    await mkdir(dirname(cached), { recursive: true })
    // In one step: another test run may look at the same moment.
    await cp(program, `${cached}.${process.pid}`)
    await rename(`${cached}.${process.pid}`, cached)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Modules are kept without the right to write. */
async function allowWrites(folder: string) {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  }
}
