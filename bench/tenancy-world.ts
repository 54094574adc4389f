import type { WriteOperation } from '../server/store/port.ts'

export type World = ReturnType<typeof worldOf>

const deepest = 20

/** Each group has up to four children; one chain goes down to the deepest level. */
export function worldOf(devices: number) {
  const groups = Math.max(Math.floor(devices / 10), 100)
  const parentOf = (n: number) => (n === 0 ? undefined : n < deepest ? n - 1 : Math.floor((n - deepest) / 4))
  const depths: number[] = []
  for (let n = 0; n < groups; n += 1) {
    const parent = parentOf(n)
    depths.push(parent === undefined ? 1 : depths[parent]! + 1)
  }
  const parents = depths.map((depth, n) => (depth > deepest ? 0 : parentOf(n)))
  const below: number[] = Array(groups).fill(1)
  for (let n = groups - 1; n > 0; n -= 1) below[parents[n]!]! += below[n]!
  return {
    devices,
    groups,
    parents,
    below,
    *groupOperations(): Generator<WriteOperation> {
      for (let n = 0; n < groups; n += 1) {
        const parent = parents[n]
        // Half by tags, half by a query: the two forms of applications in the field.
        const sources =
          n % 2 === 0
            ? { deviceTags: [{ key: 'group', value: idOf('a', n) }] }
            : { deviceTags: [], deviceQueryJson: queryOf(idOf('a', n)) }
        const document = {
          ...{ id: idOf('a', n), name: `Group ${n}`, parentId: parent === undefined ? undefined : idOf('a', parent) },
          ...{ ancestorIds: [], groupTags: {}, deviceIds: [], ...sources },
        }
        yield { insert: 'groups', document }
      }
    },
    *userOperations(): Generator<WriteOperation> {
      for (let n = 0; n < groups; n += 1) {
        const document = {
          email: `user${n}@example.com`,
          emailKey: '',
          userTags: {},
          experienceGroupIds: [idOf('a', n)],
        }
        yield { insert: 'users', document: { id: idOf('e', n), ...document } }
      }
    },
    *deviceOperations(): Generator<WriteOperation> {
      for (let n = 0; n < devices; n += 1) yield { insert: 'devices', document: deviceOf(n, groups) }
    },
  }
}

/** The `n`th device; in the group that its tag names. */
export function deviceOf(n: number, groups: number) {
  const tags = [
    { key: 'group', value: idOf('a', (n * 7919) % groups) },
    { key: 'model', value: `m${n % 50}` },
  ]
  const attributes = [{ name: 'level', dataType: 'number' as const, attributeTags: {} }]
  const name = `Device ${((n * 2654435761) % 4294967296).toString(36)}`
  return { id: idOf('d', n), name, deviceClass: 'standalone', tags, attributes, groupIds: [] }
}

/** The query of the devices with the tag of a group. */
export function queryOf(groupId: string): string {
  return JSON.stringify({ $and: [{ tags: { $eq: { $tagKey: 'group', $tagValue: groupId } } }] })
}

/** The group whose part of all groups is closest to `part`. */
export function closest({ below, groups }: World, part: number): number {
  const far = (n: number) => Math.abs(below[n]! - part * groups)
  return below.reduce((best, _, n) => (far(n) < far(best) ? n : best), 0)
}

/** The id of the `n`th of a kind, which is one hex character. */
export function idOf(kind: string, n: number): string {
  return kind + n.toString(16).padStart(23, '0')
}
