import { collectionHelpers } from './collections.ts'
import { conditionHelpers } from './conditions.ts'
import { dateHelpersAt } from './dates.ts'
import { encodingHelpers } from './encoding.ts'
import { gpsHelpers } from './gps.ts'
import type { Helpers } from './helper.ts'
import { htmlHelpers } from './html.ts'
import { iterationHelpers } from './iteration.ts'
import { mathHelpers } from './math.ts'
import { numberHelpers } from './numbers.ts'
import { stringHelpers } from './strings.ts'

/** The helpers of every template, in flows and in views. */
export const sharedHelpers: Helpers = sharedHelpersAt(() => Date.now())

/** As `sharedHelpers`, with another clock. */
export function sharedHelpersAt(now: () => number): Helpers {
  return {
    ...iterationHelpers,
    ...conditionHelpers,
    ...mathHelpers,
    ...stringHelpers,
    ...encodingHelpers,
    ...collectionHelpers,
    ...dateHelpersAt(now),
    ...numberHelpers,
    ...gpsHelpers,
    ...htmlHelpers,
  }
}
