import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

/** Saves come in bursts: an editor writes, renames and touches. What comes within this time is one change. */
const SETTLE_MS = 25
const MOST_FOLDERS = 5_000

/**
 * Calls `changed` with the paths in a folder that changed, once a burst of changes is over; the next call waits for the
 * promise of the last. Watches each folder by itself: watchers of files lose sight of what is replaced by a rename, which is how
 * most editors save. Folders that come and go are followed. Call the result to stop.
 */
export function watchFolder(
  root: string,
  hears: { changed(paths: string[]): Promise<void>; failed(message: string): void },
): () => void {
  const watchers = new Map<string, FSWatcher>()
  const paths = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let busy = false
  let stopped = false
  let complained = false

  function follow(): void {
    const folders = foldersIn(root)
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    for (const folder of folders) if (!watchers.has(folder)) add(folder)
  }

  function add(folder: string): void {
    try {
      const watcher = watch(join(root, folder), (_event, name) => hear(join(folder, name ?? '')))
      watchers.set(folder, watcher)
      watcher.on('error', () => forget(folder))
    } catch (error) {
      // Gone between the listing and now: its parent tells. Anything else is told once.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || complained) return
      complained = true
      hears.failed(`Not all folders can be watched: ${(error as Error).message}`)
    }
  }

  function forget(folder: string): void {
    watchers.get(folder)?.close()
    watchers.delete(folder)
    hear(folder)
  }

  function hear(path: string): void {
    if (isNoise(path)) return
    paths.add(path)
    schedule()
  }

  function schedule(): void {
    if (stopped) return
    clearTimeout(timer)
    timer = setTimeout(tell, SETTLE_MS)
  }

  async function tell(): Promise<void> {
    if (busy) return
    busy = true
    // Before anything is read: what is written into a new folder from now on is heard of.
    follow()
    const burst = [...paths].sort()
    paths.clear()
    await hears.changed(burst)
    busy = false
    if (paths.size > 0) schedule()
  }

  follow()
  return () => {
    stopped = true
    clearTimeout(timer)
    for (const watcher of watchers.values()) watcher.close()
  }
}

/** What editors leave for themselves while they save. */
function isNoise(path: string): boolean {
  return /(?:^|[\\/])(?:\.git(?:[\\/]|$)|node_modules(?:[\\/]|$)|4913$|\.#|#)|~$|\.sw[a-z]$/.test(path)
}

/** The folder itself (`''`) and all below it, as paths in it. A folder that cannot be read has none below it. */
function foldersIn(root: string): Set<string> {
  const found = new Set<string>()
  const enter = (folder: string) => {
    if (found.size >= MOST_FOLDERS) return
    found.add(folder)
    for (const name of namesIn(join(root, folder))) if (!isNoise(name)) enter(join(folder, name))
  }
  enter('')
  return found
}

function namesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.filter((one) => one.isDirectory()).map((one) => one.name)
  } catch {
    // It went away, or is not for us to read: the import says so where it matters.
    return []
  }
}
