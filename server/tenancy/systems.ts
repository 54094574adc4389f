import type { AppStore, Filter } from '../store/port.ts'
import { type Batch, chunks, matching } from './batch.ts'

/** The device itself and all systems below it. With a batch: as they will be after it. */
export async function systemsBelow(app: AppStore, id: string, batch?: Pick<Batch, 'devices'>): Promise<string[]> {
  const found = new Set([id])
  let level = [id]
  while (level.length > 0) {
    const next: string[] = []
    for (const part of chunks(level, 500)) {
      const children: Filter = {
        all: [
          { field: 'deviceClass', op: 'eq', value: 'system' },
          { field: 'parentId', op: 'in', value: part },
        ],
      }
      for await (const child of matching(app.collection('devices'), children)) {
        if (!batch?.devices.has(child.id)) next.push(child.id)
      }
    }
    if (batch) next.push(...touchedChildren(batch, new Set(level)))
    // A system may be reached twice when parents were written past the check for cycles.
    level = next.filter((one) => !found.has(one))
    for (const one of level) found.add(one)
  }
  return [...found]
}

function touchedChildren({ devices }: Pick<Batch, 'devices'>, parents: ReadonlySet<string>): string[] {
  return devices.touched().filter((id) => {
    const device = devices.after(id)
    return device?.deviceClass === 'system' && device.parentId !== undefined && parents.has(device.parentId)
  })
}
