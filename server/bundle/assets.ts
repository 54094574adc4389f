import { createHash } from 'node:crypto'
import { newId } from '../store/id.ts'
import type { AppStore } from '../store/port.ts'
import type { Built } from './build.ts'
import { contentTypeOf } from './content-type.ts'
import type { Placed } from './identify.ts'
import type { Item } from './items.ts'

/** The contents of an application's files, stored ahead of the documents that name them. */
export interface StoredAssets {
  built: ReadonlyMap<Item, Built>
  /** Removes what was stored: the documents were not written after all. */
  discard(): Promise<void>
  /** Removes what was replaced: the documents are written. */
  clean(): Promise<void>
}

/** Stores the files that are new or changed under new keys; what is there already keeps its key. */
export async function storeAssets(app: AppStore, placed: Iterable<Placed>): Promise<StoredAssets> {
  const built = new Map<Item, Built>()
  const added: string[] = []
  const replaced: string[] = []
  const removeAll = async (keys: readonly string[]) => {
    for (const key of keys) await app.blobs.remove(key)
  }
  try {
    for (const { item, current } of placed) {
      if (item.asset === undefined) continue
      const { path, private: hidden, file } = item.asset
      const content = await file.read()
      const sha256 = createHash('sha256').update(content).digest('hex')
      const fields = { path, contentType: contentTypeOf(path), sizeBytes: content.length, private: hidden, sha256 }
      if (current?.sha256 === sha256) {
        built.set(item, { fields: { ...fields, blob: current.blob } })
        continue
      }
      const blob = `files/${newId()}`
      added.push(blob)
      if (typeof current?.blob === 'string') replaced.push(current.blob)
      await app.blobs.put(blob, content)
      built.set(item, { fields: { ...fields, blob } })
    }
  } catch (error) {
    await removeAll(added)
    throw error
  }
  return { built, discard: () => removeAll(added), clean: () => removeAll(replaced) }
}
