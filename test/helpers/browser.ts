import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'

const places = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)]
const names = ['chromium', 'chromium-browser', 'google-chrome']
const given = process.env.CHROMIUM_PATH
const found = places.flatMap((place) => names.map((name) => join(place, name))).find((file) => existsSync(file))

/** Path of the browser that the tests drive: CHROMIUM_PATH, or the first Chromium of the system; undefined without one. */
export const browserPath = given ? [given].find((file) => existsSync(file)) : found

export const browserMissing = 'Install Chromium (Debian: apt-get install chromium), or set CHROMIUM_PATH to it.'

/** A headless browser with a new profile that talks to this machine alone. Close it after use. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP *.localhost 127.0.0.1',
    ],
  })
}

export const desktop = { width: 1280, height: 800 }
export const phone = { width: 390, height: 844 }

/** A page of a person of their own: no cookie is shared with any other visitor. */
export interface Visitor {
  page: Page
  /**
   * What went wrong since the last call: script errors, lines on the console, requests that failed or left the origin,
   * answers of 400 and above to anything but the page itself.
   */
  problems(): string[]
  close(): Promise<void>
}

export async function openVisitor(browser: Browser, options: { origin: string; viewport?: typeof desktop }) {
  const context = await browser.newContext({ baseURL: options.origin, viewport: options.viewport ?? desktop })
  const page = await context.newPage()
  let problems: string[] = []
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`))
  page.on('console', (message) => {
    // The browser says itself that a page answered 404; whether it should is for the test to say.
    if (message.type() === 'error' && message.location().url === page.url()) return
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${options.origin}/`)) problems.push(`foreign: ${request.url()}`)
  })
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText
    // Leaving a page ends what it was still loading.
    if (reason !== 'net::ERR_ABORTED') problems.push(`failed: ${request.url()} ${reason}`)
  })
  page.on('response', (response) => {
    const main = response.request().isNavigationRequest()
    if (response.status() >= 400 && !main) problems.push(`${response.status()}: ${response.url()}`)
  })
  const visitor: Visitor = {
    page,
    problems() {
      const since = problems
      problems = []
      return since
    },
    close: () => context.close(),
  }
  return visitor
}
