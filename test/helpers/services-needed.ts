import { describe } from 'vitest'

/**
 * `describe` where a service that is not part of this repository is there, such as a browser or a database. Where it is
 * not, the tests are skipped and the reason is printed; with HEADGATE_REQUIRE_SERVICES=1 (which CI sets) the file fails.
 */
export function requireOrSkip(name: string, present: boolean, reason: string): typeof describe | typeof describe.skip {
  if (present) return describe
  if (process.env.HEADGATE_REQUIRE_SERVICES === '1') {
    throw new Error(`Expected ${name}, because HEADGATE_REQUIRE_SERVICES=1 forbids to skip its tests. ${reason}`)
  }
  console.warn(`Skipped: the tests that need ${name}. ${reason}`)
  return describe.skip
}
