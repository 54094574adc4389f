import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'
import { type Problem, problem } from './problem.ts'

/** One file of a folder: read when it is asked for. */
export interface TreeFile {
  /** Path in the folder, with slashes, without a leading one. */
  path: string
  sizeBytes: number
  read(): Promise<Uint8Array>
}

/** A folder of files, on the disk or in memory, and what was wrong with it. */
export interface Tree {
  /** Name of the folder itself. */
  name: string
  files: Map<string, TreeFile>
  problems: Problem[]
}

/** Bounds of one folder. */
export const treeLimits = { files: 20_000, depth: 32, fileBytes: 100 * 2 ** 20, totalBytes: 2 ** 30 }

/** A tree of texts and bytes by path, for what is not on the disk. */
export function treeOf(name: string, contents: Record<string, string | Uint8Array>): Tree {
  const files = Object.entries(contents).map(([path, content]) => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    return [path, { path, sizeBytes: bytes.length, read: async () => bytes }] as const
  })
  return { name, files: new Map(files), problems: [] }
}

/**
 * Lists a folder, in order of path. Hidden files and node_modules are left out (not below `files`); a link may point to a file inside the
 * folder, not out of it and not to a folder. Rejects when the folder cannot be read.
 */
export async function openFolder(folder: string): Promise<Tree> {
  const root = await realpath(folder)
  const tree: Tree = { name: basename(resolve(folder)), files: new Map(), problems: [] }
  const found: TreeFile[] = []
  let totalBytes = 0

  async function enter(relative: string, depth: number): Promise<void> {
    if (depth > treeLimits.depth)
      return refuse('bundle.limit', relative, `Expected folders at most ${treeLimits.depth} deep`)
    const entries = await readdir(join(root, relative), { withFileTypes: true })
    for (const entry of entries) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`
      if (isLeftOut(entry.name, relative)) continue
      if (found.length > treeLimits.files) return
      if (entry.isDirectory()) await enter(path, depth + 1)
      else await add(path)
    }
  }

  async function add(path: string): Promise<void> {
    const full = join(root, path)
    if ((await lstat(full)).isSymbolicLink()) {
      const target = await realpath(full).catch(() => undefined)
      if (target === undefined)
        return refuse('bundle.missing', path, 'Expected a file, got a link that points to nothing')
      if (!target.startsWith(root + sep)) {
        return refuse(
          'bundle.path',
          path,
          'Expected a file of this folder, got a link that leaves it. Put the file itself here.',
        )
      }
    }
    const info = await stat(full)
    if (!info.isFile())
      return refuse('bundle.path', path, 'Expected a file, got a link to a folder, a pipe or a device')
    if (info.size > treeLimits.fileBytes) {
      return refuse('bundle.limit', path, `Expected at most ${treeLimits.fileBytes} bytes, got ${info.size}`)
    }
    totalBytes += info.size
    found.push({ path, sizeBytes: info.size, read: () => readFile(full) })
  }

  function refuse(code: 'bundle.limit' | 'bundle.path' | 'bundle.missing', path: string, message: string): void {
    tree.problems.push(problem(code, path, message))
  }

  await enter('', 0)
  if (found.length > treeLimits.files)
    refuse('bundle.limit', '', `Expected at most ${treeLimits.files} files, got more`)
  if (totalBytes > treeLimits.totalBytes) {
    refuse('bundle.limit', '', `Expected at most ${treeLimits.totalBytes} bytes in all, got ${totalBytes}`)
  }
  found.sort((a, b) => (a.path < b.path ? -1 : 1))
  for (const file of found) tree.files.set(file.path, file)
  return tree
}

// What is hidden is not part of an application, except among the files that its users load.
function isLeftOut(name: string, folder: string): boolean {
  if (name === '.git' || name === '.DS_Store') return true
  if (/(?:^|\/)(?:files|privateFiles)(?:\/|$)/.test(folder)) return false
  return name.startsWith('.') || name === 'node_modules'
}

/** The part of a tree below a folder, as a tree. */
export function subtree(tree: Tree, folder: string): Tree {
  if (folder === '') return tree
  const prefix = `${folder}/`
  const inside = [...tree.files.values()].filter((file) => file.path.startsWith(prefix))
  const files = inside.map(
    (file) => [file.path.slice(prefix.length), { ...file, path: file.path.slice(prefix.length) }] as const,
  )
  const problems = tree.problems
    .filter((one) => one.file === '' || one.file.startsWith(prefix))
    .map((one) => ({ ...one, file: one.file === '' ? '' : one.file.slice(prefix.length) }))
  return { name: basename(folder), files: new Map(files), problems }
}
