import { join } from 'node:path'
import type { Browser, Cookie, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  browserMissing,
  browserPath,
  desktop,
  openBrowser,
  openVisitor,
  phone,
  type Visitor,
} from '../helpers/browser.ts'
import { linkInMail } from '../helpers/outbox.ts'
import { faultsOf } from '../helpers/page-check.ts'
import { PASSWORD, startServer, type TestServer } from '../helpers/server.ts'
import { requireOrSkip } from '../helpers/services-needed.ts'

const generators = join(import.meta.dirname, '../../examples/generators')
const staff = 'support@kanarra.example'

const describeInBrowser = requireOrSkip('Chromium', browserPath !== undefined, browserMissing)

describeInBrowser('the internal pages in a browser', { timeout: 60_000 }, () => {
  let running: TestServer
  let browser: Browser
  let session: Cookie[] | undefined

  beforeAll(async () => {
    running = await startServer({ folders: [generators] })
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await running?.close()
  })

  const originOf = (slug: string) => `http://${slug}.localhost:${running.port}`
  const internal = (viewport = desktop) => openVisitor(browser, { origin: originOf('generators-admin'), viewport })
  const customers = (viewport = desktop) => openVisitor(browser, { origin: originOf('generators'), viewport })

  async function signedIn(viewport = desktop): Promise<Visitor> {
    const visitor = await internal(viewport)
    const { page } = visitor
    await page.context().addCookies(session ?? [])
    if (session === undefined) {
      await page.goto('/login')
      await signIn(page, staff)
      session = await page.context().cookies()
    }
    return visitor
  }

  /** Starts an import of so many rows, with one that is refused, and stands on the page of its progress. */
  async function startImport(page: Page, rows: number): Promise<void> {
    const lines = Array.from({ length: rows }, (_, n) => `Row ${n},S-${rows}-${n}`)
    const text = ['name,serial', ...lines, 'No serial number,'].join('\n')
    await page.goto('/imports')
    await page.getByLabel('Into the group').selectOption({ label: 'Tekton Health / California Southern / Anaheim' })
    const file = { name: 'rows.csv', mimeType: 'text/csv', buffer: Buffer.from(text) }
    await page.getByLabel('CSV file').setInputFiles(file)
    await page.getByRole('button', { name: 'Start the import' }).click()
    await page.waitForURL('**/imports/*')
  }

  test('who is no member of the staff is told so, and stays outside', async () => {
    const { page, close } = await internal()
    await page.goto('/')
    await page.getByLabel('E-mail address').fill('norcal@tekton.example')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').getByText('This account has no access here').waitFor()
    expect(await page.context().cookies()).toEqual([])
    await page.goto('/')
    await page.getByRole('heading', { name: 'Staff sign-in' }).waitFor()
    await close()
  })

  test('staff take a customer in, whose first person comes by the link in the mail and scans a label', async () => {
    const { page, problems, close } = await signedIn()
    await page.goto('/')
    await page.getByRole('link', { name: 'New customer' }).click()
    await page.getByLabel('Name of the customer').fill('Harbor Cold Storage')
    await page.getByLabel('First name').fill('Mara')
    await page.getByLabel('E-mail address').fill('mara@harbor.example')
    await page.getByRole('button', { name: 'Create customer' }).click()
    await page.getByRole('heading', { level: 1, name: 'Harbor Cold Storage' }).waitFor()
    await page.getByLabel('Name', { exact: true }).fill('Pier 9')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByText('The group has been added').waitFor()
    expect(await faultsOf(page)).toEqual([])

    await page.getByRole('link', { name: 'Provision' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Pier Generator')
    await page.getByLabel('Serial number').fill('K500-90001')
    await page.getByRole('button', { name: 'Make it and print the label' }).click()
    await page.getByRole('img', { name: 'QR code with the address to claim Pier Generator' }).waitFor()
    await page.getByRole('button', { name: 'Print' }).waitFor()
    const code = await page.locator('.sticker-key').textContent()

    const mara = await customers(phone)
    await mara.page.goto(await linkInMail(join(running.config.dataDir, 'outbox'), 'mara@harbor.example'))
    await mara.page.getByRole('heading', { name: 'Welcome. Choose your password' }).waitFor()
    expect(await faultsOf(mara.page)).toEqual([])
    await mara.page.getByLabel('New password').fill('harbor-lights-1')
    await mara.page.getByRole('button', { name: 'Save and sign in' }).click()
    await mara.page.waitForURL('**/login*')
    // The camera of the phone opens the address in the code before anybody has signed in.
    await mara.page.goto(`/claim?code=${code}`)
    await signIn(mara.page, 'mara@harbor.example', 'harbor-lights-1')
    await mara.page.getByRole('heading', { level: 1, name: 'Pier Generator' }).waitFor()
    expect(await faultsOf(mara.page)).toEqual([])
    await mara.page.getByLabel('Where does it stand?').selectOption({ label: 'Harbor Cold Storage / Pier 9' })
    await mara.page.getByRole('button', { name: 'Take it in' }).click()
    await mara.page.waitForURL('**/devicedetails?*')
    await mara.page.goto('/')
    expect(await mara.page.locator('.card h3').allInnerTexts()).toEqual(['Pier Generator'])
    await mara.page.goto(`/claim?code=${code}`)
    await mara.page.getByRole('heading', { name: 'This label cannot be used' }).waitFor()
    expect(await faultsOf(mara.page)).toEqual([])
    expect(mara.problems()).toEqual([])
    await mara.close()

    await page.goto('/devices')
    await page.getByText('All generators have a customer').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  test('the progress of an import shows itself without being loaded again, with the rows that were refused', async () => {
    const { page, problems, close } = await signedIn()
    await startImport(page, 4_000)
    await page.evaluate('globalThis.sameDocument = true')
    await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
    await page.getByText('4001 of 4001 rows').waitFor()
    await page.getByRole('row', { name: '4002 Expected a value in the column "serial", got a blank cell' }).waitFor()
    expect(await page.evaluate('globalThis.sameDocument')).toBe(true)
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0)
    expect(await faultsOf(page)).toEqual([])
    await page.getByRole('link', { name: 'Jobs' }).click()
    await page.getByRole('row', { name: /Import of generators .* Done 4000 created, 0 updated, 1 failed/ }).waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  test('without scripts the page of an import loads itself again until it has ended', async () => {
    const { page: first, close } = await signedIn()
    const context = await browser.newContext({ baseURL: originOf('generators-admin'), javaScriptEnabled: false })
    await context.addCookies(await first.context().cookies())
    const page = await context.newPage()
    await startImport(page, 4_100)
    await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
    expect(await page.locator('noscript').count()).toBe(0)
    await context.close()
    await close()
  })

  const pages: { name: string; path: string; as?: 'staff'; status?: number; heading: string }[] = [
    { name: 'sign in', path: '/login', heading: 'Staff sign-in' },
    { name: 'a page for strangers', path: '/devices', status: 401, heading: 'Staff sign-in' },
    { name: 'customers', path: '/', as: 'staff', heading: 'Customers' },
    { name: 'a new customer', path: '/new-customer', as: 'staff', heading: 'New customer' },
    { name: 'a customer', path: 'customer', as: 'staff', heading: 'Tekton Health' },
    { name: 'provision', path: '/devices', as: 'staff', heading: 'Provision' },
    { name: 'a label', path: 'label', as: 'staff', heading: 'Label' },
    { name: 'imports', path: '/imports', as: 'staff', heading: 'Import generators' },
    { name: 'an import', path: 'import', as: 'staff', heading: 'Import' },
    { name: 'jobs', path: '/jobs', as: 'staff', heading: 'Jobs' },
    { name: 'not found', path: '/no/such/page', as: 'staff', status: 404, heading: 'There is nothing here' },
  ]
  const sizes = [desktop, phone]
  test.each(pages.flatMap((page) => sizes.map((viewport) => [page.name, viewport.width, { page, viewport }] as const)))(
    '%s is sound at %d pixels',
    async (_name, width, { page: wanted, viewport }) => {
      const { page, problems, close } = wanted.as ? await signedIn(viewport) : await internal(viewport)
      if (wanted.path === 'customer') {
        await page.goto('/')
        await page.getByRole('link', { name: wanted.heading }).click()
        await page.locator('#people').waitFor()
      } else if (wanted.path === 'label') {
        await page.goto('/devices')
        await page.getByLabel('Name', { exact: true }).fill('Generator with a name that is longer than labels like')
        await page.getByLabel('Serial number').fill(`LABEL-${width}`)
        await page.getByRole('button', { name: 'Make it and print the label' }).click()
        await page.getByRole('img').first().waitFor()
      } else if (wanted.path === 'import') {
        await startImport(page, width)
        await page.getByText('Done', { exact: true }).waitFor({ timeout: 30_000 })
      } else expect((await page.goto(wanted.path))?.status()).toBe(wanted.status ?? 200)
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(wanted.heading)
      expect(await faultsOf(page)).toEqual([])
      expect(problems()).toEqual([])
      await close()
    },
  )

  test('nothing went wrong on the server meanwhile', () => {
    expect(running.log.filter(({ level }) => Number(level) >= 40)).toEqual([])
  })
})

async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/login')
}
