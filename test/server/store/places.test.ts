import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openPlaces } from '../../../server/store/places.ts'

const group: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const groups = fc.uniqueArray(group, { maxLength: 4 })
// Rows of one page, of two and of pages far apart.
const row = fc.constantFrom(1, 2, 511, 512, 70_000)
const change = fc.oneof(
  fc.record({ group, above: groups }),
  fc.record({ row, set: groups }),
  fc.record({ row, add: group }),
)

test('tests and counts as the rule has it, after any changes', () => {
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 40 }),
      fc.array(groups, { minLength: 1, maxLength: 5 }),
      (changes, asked) => {
        const places = openPlaces()
        const above = new Map<string, string[]>()
        const devices = new Map<number, string[]>()
        for (const one of changes) {
          if ('group' in one) {
            places.setGroup(one.group, one.above)
            above.set(one.group, one.above)
          } else if ('set' in one) {
            places.setDevice(one.row, one.set)
            devices.set(one.row, one.set)
          } else {
            places.addToDevice(one.row, one.add)
            devices.set(one.row, [...new Set([...(devices.get(one.row) ?? []), one.add])])
          }
          // Asked in between: what a test remembers must not outlive a change.
          places.count(asked[0]!)
        }
        for (const given of asked) {
          const has = (at: number) =>
            (devices.get(at) ?? []).some((own) => [own, ...(above.get(own) ?? [])].some((one) => given.includes(one)))
          const isInside = places.within(given)
          const rows = [1, 2, 3, 511, 512, 70_000, 9_000_000]
          expect(rows.filter(isInside)).toEqual(rows.filter(has))
          expect(places.count(given)).toBe(rows.filter(has).length)
        }
      },
    ),
    { numRuns: 1_000 },
  )
})

test('says what memory it takes: 4 bytes a device and a part for each group', () => {
  const places = openPlaces()
  expect(places.bytes()).toBe(0)
  for (let n = 0; n < 1_000; n += 1) places.setGroup(`group ${n}`, n === 0 ? [] : ['group 0'])
  const ofGroups = places.bytes()
  expect(ofGroups / 1_000).toBeGreaterThan(150)
  expect(ofGroups / 1_000).toBeLessThan(400)
  for (let n = 0; n < 100_000; n += 1) places.setDevice(n, [`group ${n % 1_000}`])
  expect((places.bytes() - ofGroups) / 100_000).toBeGreaterThanOrEqual(4)
  expect((places.bytes() - ofGroups) / 100_000).toBeLessThan(5)
})
