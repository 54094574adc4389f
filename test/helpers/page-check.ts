import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const script = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
const findFaults = script('page-faults.js')
const findFocus = script('page-focus.js')

// More than any page here has; without it a page that catches the focus would hold the test up.
const MOST_STOPS = 80

/**
 * What is wrong with the page as it stands, in words; empty when all is well: a title, no sideways scrolling, a name for
 * every field, link, button and picture, one main heading, no id twice, text that stands out from its ground, and a focus that
 * can be seen on all that takes the keyboard.
 */
export async function faultsOf(page: Page): Promise<string[]> {
  const faults = await page.evaluate<string[]>(findFaults)
  return [...faults, ...(await hiddenFocus(page))]
}

// Goes through the page with the Tab key, as a person without a mouse does.
async function hiddenFocus(page: Page): Promise<string[]> {
  const faults: string[] = []
  let stops = 0
  await page.evaluate('document.activeElement?.blur()')
  for (; stops < MOST_STOPS; stops++) {
    await page.keyboard.press('Tab')
    const focus = await page.evaluate<{ seen: boolean; html: string } | undefined>(findFocus)
    if (focus === undefined) break
    if (!focus.seen) faults.push(`focus cannot be seen: ${focus.html}`)
  }
  if (stops === 0) faults.push('nothing takes the keyboard')
  return faults
}
