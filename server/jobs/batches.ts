import { setImmediate as nextTurn } from 'node:timers/promises'

/** Items in lists of `size`, the last one shorter. Each list is another turn: reading an embedded store never waits for anything by itself. */
export async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    await nextTurn()
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
