import type { DeviceDocument } from '../store/documents/devices.ts'
import type { GroupDocument } from '../store/documents/people.ts'
import type { Filter } from '../store/port.ts'
import { anchorsOfDevice, anchorsOfGroup, systemTree } from './anchors.ts'
import { type Associator, associates, associationFilter, readAssociator } from './association.ts'
import { type Batch, chunks, matching } from './batch.ts'
import { systemsBelow } from './systems.ts'

/**
 * Fills `anchors` of written groups and `groupIds` of written devices, and corrects `groupIds` of all other devices whose
 * groups were written. Throws Refusal `Validation` for a device query of a written group that cannot be used.
 */
export async function completeAssociations(batch: Batch): Promise<void> {
  const reader = openReader(batch)
  const written = await readWritten(batch, reader)
  const others = await otherDevices(batch, reader, written)
  await writtenDevices(batch, reader, written)
  for (const { device, groupIds } of others) setGroups(batch, device, groupIds)
}

type Reader = (group: GroupDocument) => Promise<Associator>

/** Reads each group once a batch. */
function openReader(batch: Batch): Reader {
  const read = new Map<string, Promise<Associator>>()
  const below = (id: string) => systemsBelow(batch.app, id, batch)
  return (group) => {
    const known = read.get(group.id) ?? readAssociator(group, below)
    read.set(group.id, known)
    return known
  }
}

/** Groups that the batch leaves in place, by id. */
async function readWritten(batch: Batch, read: Reader): Promise<Map<string, Associator>> {
  const written = new Map<string, Associator>()
  for (const id of batch.groups.touched()) {
    const group = batch.groups.after(id)
    if (group === undefined) continue
    const associator = await read(group)
    written.set(id, associator)
    batch.groups.derive(group, { anchors: anchorsOfGroup(associator) })
  }
  return written
}

async function writtenDevices(batch: Batch, read: Reader, written: Map<string, Associator>): Promise<void> {
  const { devices, groups, app } = batch
  const here = indexed([...written.values()])
  for (const part of chunks(devices.touched(), 500)) {
    const present = part.map((id) => devices.after(id)).filter((device) => device !== undefined)
    const wanted = [...new Set(present.flatMap(anchorsOfDevice))]
    const stored = new Map<string, Associator>()
    for (const has of chunks(wanted, 500)) {
      for await (const group of matching(app.collection('groups'), { list: 'anchors', has })) {
        if (!groups.has(group.id)) stored.set(group.id, await read(group))
      }
    }
    const there = indexed([...stored.values()])
    for (const device of present) {
      const found = new Set(
        anchorsOfDevice(device).flatMap((anchor) => [...(here.get(anchor) ?? []), ...(there.get(anchor) ?? [])]),
      )
      const fitting = [...found].filter((associator) => associates(associator, device))
      setGroups(
        batch,
        device,
        fitting.map(({ group }) => group.id),
      )
    }
  }
}

function indexed(associators: Associator[]): Map<string, Associator[]> {
  const index = new Map<string, Associator[]>()
  for (const associator of associators) {
    for (const anchor of anchorsOfGroup(associator)) {
      const list = index.get(anchor)
      if (list) list.push(associator)
      else index.set(anchor, [associator])
    }
  }
  return index
}

interface Corrected {
  device: DeviceDocument
  groupIds: Set<string>
}

/** Devices that the batch does not write, whose groups change because groups or systems are written. */
async function otherDevices(
  batch: Batch,
  read: Reader,
  written: Map<string, Associator>,
): Promise<Iterable<Corrected>> {
  const { app, devices } = batch
  const corrected = new Map<string, Corrected>()
  const asked = await changedGroups(batch, read, written)
  if (asked.length === 0 || !(await hasOthers(batch))) return []
  for (const { id, target, isNew } of asked) {
    const has: Filter = { list: 'groupIds', has: [id] }
    const correct = async (filter: Filter, apply: (groupIds: Set<string>) => void) => {
      for await (const device of matching(app.collection('devices'), filter)) {
        if (devices.has(device.id)) continue
        const known = corrected.get(device.id) ?? { device, groupIds: new Set(device.groupIds) }
        corrected.set(device.id, known)
        apply(known.groupIds)
      }
    }
    if (!isNew) await correct({ all: [has, { not: target }] }, (groupIds) => groupIds.delete(id))
    if (!isNothing(target)) await correct({ all: [target, { not: has }] }, (groupIds) => groupIds.add(id))
  }
  return corrected.values()
}

/** A first import writes all devices there are: no group need look for others. */
async function hasOthers({ app, devices }: Batch): Promise<boolean> {
  const collection = app.collection('devices')
  const known = devices.touched().filter((id) => devices.before(id) !== undefined).length
  if (known === 0) return (await collection.first({ all: [] })) !== undefined
  return (await collection.count()) > known
}

interface Asked {
  id: string
  /** Which devices the group will associate. */
  target: Filter
  isNew: boolean
}

async function changedGroups(batch: Batch, read: Reader, written: Map<string, Associator>): Promise<Asked[]> {
  const { groups, app } = batch
  const asked: Asked[] = []
  const treeMoved = systemMoved(batch)
  for (const id of groups.touched()) {
    const before = groups.before(id)
    const associator = written.get(id)
    if (associator === undefined) {
      if (before !== undefined) asked.push({ id, target: { any: [] }, isNew: false })
    } else if (before === undefined || sourcesDiffer(before, associator.group) || (treeMoved && associator.treeQuery)) {
      asked.push({ id, target: associationFilter(associator), isNew: before === undefined })
    }
  }
  if (!treeMoved) return asked
  for await (const group of matching(app.collection('groups'), { list: 'anchors', has: [systemTree] })) {
    if (!groups.has(group.id)) asked.push({ id: group.id, target: associationFilter(await read(group)), isNew: false })
  }
  return asked
}

function sourcesDiffer(a: GroupDocument, b: GroupDocument): boolean {
  const sources = ({ deviceIds, deviceTags, deviceQueryJson }: GroupDocument) =>
    JSON.stringify([deviceIds, deviceTags, deviceQueryJson ?? ''])
  return sources(a) !== sources(b)
}

/** A system that moved takes along what lies below it. */
function systemMoved({ devices }: Batch): boolean {
  return devices.touched().some((id) => {
    const before = devices.before(id)
    const after = devices.after(id)
    if (before?.deviceClass !== 'system' && after?.deviceClass !== 'system') return false
    return before?.parentId !== after?.parentId || before?.deviceClass !== after?.deviceClass
  })
}

function isNothing(filter: Filter): boolean {
  return 'any' in filter && filter.any.length === 0
}

function setGroups(batch: Batch, device: DeviceDocument, groupIds: Iterable<string>) {
  batch.devices.derive(device, { groupIds: [...groupIds].sort() })
}
