/** Where the devices of an application hang, in memory: 4 bytes a device and some 300 a group. */
export interface Places {
  /** The groups above one; empty for a group that is gone. */
  setGroup(id: string, ancestorIds: readonly string[]): void
  /** The groups that associate a device directly; empty for a device that is gone. */
  setDevice(row: number, groupIds: readonly string[]): void
  addToDevice(row: number, groupId: string): void
  /** A test of devices by row: at one of the groups, or below. It holds until the next change and the next test. */
  within(groupIds: readonly string[]): (row: number) => boolean
  /** How many devices are at one of the groups, or below: 0.05 us a group of the application. */
  count(groupIds: readonly string[]): number
  /** About how much memory is taken. */
  bytes(): number
}

/** Rows of a page: an application whose rows lie scattered among those of others takes little more than its share. */
const pageBits = 9
const pageRows = 1 << pageBits

/** In the place of the number of a device's only group, which is 1 or more; nothing is 0. */
const several = -1

export function openPlaces(): Places {
  const numbers = new Map<string, number>()
  const above: number[][] = [[]]
  const pages = new Map<number, Int32Array>()
  const others = new Map<number, number[]>()
  /** Devices that a group alone has. */
  const only: number[] = [0]
  let aboveLength = 0
  // What the test of a turn found out of a group: the turn for inside, minus the turn for outside. Nothing need be cleared.
  let found = new Int32Array(64)
  let turn = 0

  function numberOf(id: string): number {
    const known = numbers.get(id)
    if (known !== undefined) return known
    numbers.set(id, above.length)
    above.push([])
    only.push(0)
    return above.length - 1
  }

  function put(row: number, value: number) {
    let page = pages.get(row >> pageBits)
    if (page === undefined) {
      if (value === 0) return
      page = new Int32Array(pageRows)
      pages.set(row >> pageBits, page)
    }
    const before = page[row & (pageRows - 1)]!
    if (before > 0) only[before]! -= 1
    if (value > 0) only[value]! += 1
    page[row & (pageRows - 1)] = value
  }

  const valueAt = (row: number) => pages.get(row >> pageBits)?.[row & (pageRows - 1)] ?? 0

  /** A test of groups by number. */
  function openTest(groupIds: readonly string[]): (group: number) => boolean {
    const given = new Set(groupIds.map((id) => numbers.get(id)).filter((number) => number !== undefined))
    if (found.length < above.length || turn === 0x7fffffff) {
      found = new Int32Array(Math.max(found.length, above.length * 2))
      turn = 0
    }
    const [single] = given.size === 1 ? given : []
    const inside = ++turn
    const memory = found
    return (group) => {
      const known = memory[group]
      if (known === inside) return true
      if (known === -inside) return false
      // Most are asked for one group: to look that up in a set would cost ten times as much.
      const isGiven = (one: number) => (single === undefined ? given.has(one) : one === single)
      let is = isGiven(group)
      const higher = above[group]!
      for (let at = 0; at < higher.length && !is; at += 1) is = isGiven(higher[at]!)
      memory[group] = is ? inside : -inside
      return is
    }
  }

  return {
    setGroup(id, ancestorIds) {
      const number = numberOf(id)
      aboveLength += ancestorIds.length - above[number]!.length
      above[number] = ancestorIds.map(numberOf)
    },

    setDevice(row, groupIds) {
      if (groupIds.length > 1) others.set(row, groupIds.map(numberOf))
      else others.delete(row)
      put(row, groupIds.length > 1 ? several : groupIds.length === 1 ? numberOf(groupIds[0]!) : 0)
    },

    addToDevice(row, groupId) {
      const number = numberOf(groupId)
      const value = valueAt(row)
      if (value === 0) put(row, number)
      if (value === 0 || value === number) return
      const groups = others.get(row) ?? [value]
      others.set(row, [...new Set([...groups, number])])
      put(row, several)
    },

    within(groupIds) {
      const isInside = openTest(groupIds)
      return (row) => {
        const value = valueAt(row)
        return value === several ? others.get(row)!.some(isInside) : value !== 0 && isInside(value)
      }
    },

    count(groupIds) {
      const isInside = openTest(groupIds)
      let total = 0
      only.forEach((devices, group) => {
        if (devices > 0 && isInside(group)) total += devices
      })
      for (const groups of others.values()) if (groups.some(isInside)) total += 1
      return total
    },

    bytes: () => pages.size * (pageRows * 4 + 200) + others.size * 150 + numbers.size * 180 + aboveLength * 8,
  }
}
