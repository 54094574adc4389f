import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Cookie, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openResources } from '../../server/resources/resources.ts'
import type { AppStore } from '../../server/store/port.ts'
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
import { temporaryFolder } from '../helpers/store.ts'

const examples = join(import.meta.dirname, '../../examples')
const norcal = 'norcal@tekton.example'

// The simulated readings begin with the first firing of a timer, ten seconds after the start.
const READINGS_MS = 20_000

const describeInBrowser = requireOrSkip('Chromium', browserPath !== undefined, browserMissing)

describeInBrowser('the examples in a browser', { timeout: 40_000 }, () => {
  let running: TestServer
  let browser: Browser
  const cookies = new Map<string, Cookie[]>()

  beforeAll(async () => {
    const folders = ['generators', 'one-to-many', 'many-to-many'].map((name) => join(examples, name))
    const copies = [`${await brokenCopy()}=broken`, `${await quietCopy()}=quiet`, `${await quietCopy()}=silent`]
    // Jobs that are shown as running have no worker: none of this server may take them for left behind.
    running = await startServer({ folders: [...folders, ...copies], config: { jobLeaseMs: 3_600_000 } })
    for (const slug of ['silent', 'broken']) await addHistory(appOf(slug))
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await running?.close()
  })

  function appOf(slug: string): AppStore {
    return running.store.app(running.applications.find(({ host }) => host === `${slug}.localhost`)!.scope)
  }

  function visit(options: { slug?: string; viewport?: typeof desktop } = {}): Promise<Visitor> {
    const { slug = 'generators', viewport } = options
    return openVisitor(browser, { origin: `http://${slug}.localhost:${running.port}`, viewport })
  }

  async function signedIn(email: string, options: Parameters<typeof visit>[0] = {}): Promise<Visitor> {
    const visitor = await visit(options)
    const { page } = visitor
    // Signing in takes its time on purpose: a person who has done so once comes back with their cookie.
    const key = `${email} ${options.slug}`
    await page.context().addCookies(cookies.get(key) ?? [])
    await page.goto('/')
    if (!cookies.has(key)) await signIn(page, email)
    cookies.set(key, await page.context().cookies())
    return visitor
  }

  test('before the first readings the page says so, and shows them when they come, without being loaded again', async () => {
    const { page, problems, close } = await signedIn(norcal, { slug: 'quiet' })
    const value = page.locator('.card .reading-value').first()
    await page.getByText('Waiting for the first readings').waitFor()
    expect(await page.locator('.card').count()).toBe(9)
    expect(await value.textContent()).toBe('–')
    await page.evaluate('globalThis.sameDocument = true')

    const app = appOf('quiet')
    const flow = (await app.collection('flows').find()).find(({ name }) => name === 'Simulated readings')!
    await app.collection('flows').update(flow.id, { enabled: true })
    await running.server.refresh()
    await page.getByText('Updated a few seconds ago').waitFor({ timeout: READINGS_MS })
    await expect.poll(() => value.textContent()).toMatch(/^[\d,]+$/)
    expect(await page.getByText('Waiting', { exact: true }).count()).toBe(0)
    expect(await page.evaluate('globalThis.sameDocument')).toBe(true)
    expect(problems()).toEqual([])
    await close()
  })

  test('three people sign in at one address and see three different sets', async () => {
    const sets: Record<string, string[]> = {}
    for (const email of ['global@tekton.example', norcal, 'sanbruno@tekton.example']) {
      const { page, problems, close } = await visit()
      await page.goto('/')
      await signIn(page, email)
      sets[email] = await cards(page)
      expect(problems()).toEqual([])
      await close()
    }
    expect(sets['sanbruno@tekton.example']).toEqual(numbered('San Bruno', 4))
    expect(sets[norcal]).toEqual([...numbered('Oakland', 3), ...numbered('Sacramento', 2), ...numbered('San Bruno', 4)])
    expect(sets['global@tekton.example']).toEqual([
      ...numbered('Anaheim', 2),
      ...sets[norcal]!,
      ...numbered('San Diego', 3),
    ])
  })

  test('signing out ends the session, and the next person sees their own', async () => {
    const { page, problems, close } = await visit()
    await page.goto('/login')
    await signIn(page, norcal)
    await page.getByRole('link', { name: 'Sign out' }).click()
    await page.waitForURL('**/login*')
    await page.goto('/')
    expect(new URL(page.url()).pathname).toBe('/login')
    await signIn(page, 'ops@sadler.example')
    expect(await cards(page)).toEqual([...numbered('Boise', 1), ...numbered('Tacoma', 2)])
    expect(problems()).toEqual([])
    await close()
  })

  test('a wrong password keeps the address and says so', async () => {
    const { page, problems, close } = await visit()
    await page.goto('/login')
    await page.getByLabel('E-mail address').fill(norcal)
    await page.getByLabel('Password').fill('not-the-password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('E-mail address').inputValue()).toBe(norcal)
    expect(await faultsOf(page)).toEqual([])
    expect(problems()).toEqual([])
    await close()
  })

  test('the group tree narrows the page to one group and back', async () => {
    const { page, problems, close } = await signedIn(norcal)
    await page.getByRole('navigation', { name: 'Groups' }).getByRole('link', { name: 'Oakland' }).click()
    await page.getByRole('heading', { level: 1, name: 'Oakland' }).waitFor()
    expect(await cards(page)).toEqual(numbered('Oakland', 3))
    await page.getByRole('link', { name: 'All groups' }).click()
    await page.getByRole('heading', { level: 1, name: 'All generators' }).waitFor()
    expect(await cards(page)).toHaveLength(9)
    expect(problems()).toEqual([])
    await close()
  })

  test('on a phone the group tree opens from a button', async () => {
    const { page, problems, close } = await signedIn(norcal, { viewport: phone })
    const oakland = page.getByRole('navigation', { name: 'Groups' }).getByRole('link', { name: 'Oakland' })
    expect(await oakland.isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Groups: California Northern' }).click()
    await oakland.click()
    await page.getByRole('button', { name: 'Groups: Oakland' }).waitFor()
    expect(await cards(page)).toEqual(numbered('Oakland', 3))
    expect(problems()).toEqual([])
    await close()
  })

  test('a device has its last values and its history', async () => {
    const { page, problems, close } = await signedIn(norcal)
    await page.getByRole('link', { name: 'San Bruno Generator 1' }).click()
    await page.getByRole('heading', { level: 1, name: 'San Bruno Generator 1' }).waitFor()
    const charts = page.getByRole('img', {
      name: /^(Output|Fuel|Coolant): lowest [\d.]+, highest [\d.]+, latest [\d.]+/,
    })
    await charts.first().waitFor({ timeout: READINGS_MS })
    expect(await charts.count()).toBe(3)
    await page.getByText('Updated a few seconds ago').waitFor()
    const values = await page.locator('.stat-value').allInnerTexts()
    expect(values).toHaveLength(5)
    for (const value of values) expect(value).toMatch(/^[\d,.]+$/)
    const points = (await charts.first().locator('.chart-line').getAttribute('d'))!.split(/[ML]/).length
    expect(points).toBeGreaterThan(100)

    await charts.first().hover()
    await page.getByText(/^[\d.]+ kW at \d\d:\d\d$/).waitFor()
    await page.getByRole('link', { name: 'Hour', exact: true }).click()
    await page.locator('.segments [aria-current]', { hasText: 'Hour' }).waitFor()
    expect(await charts.count()).toBe(3)
    expect(problems()).toEqual([])
    await close()
  })

  test('an id in the address bar that belongs to others leads back to the overview, as a made-up one does', async () => {
    const app = appOf('generators')
    const foreign = await app.collection('devices').first({ field: 'name', op: 'eq', value: 'Boise Generator 1' })
    const { page, problems, close } = await signedIn(norcal)
    for (const id of [foreign!.id, '000000000000000000000000', 'nonsense', '']) {
      await page.goto(`/devicedetails?deviceId=${id}`)
      expect(new URL(page.url()).pathname).toBe('/')
      expect(await page.content()).not.toContain('Boise')
    }
    expect(problems()).toEqual([])
    await close()
  })

  test('an administrator adds a person, who then signs in and sees their site', async () => {
    const admin = await signedIn(norcal)
    await admin.page.getByRole('link', { name: 'People' }).click()
    await admin.page.getByLabel('First name').fill('Ada')
    await admin.page.getByLabel('Last name').fill('Nwosu')
    await admin.page.getByLabel('E-mail address').fill('ada@tekton.example')
    await admin.page.getByLabel('Initial password').fill('a-first-password')
    await admin.page.getByLabel('Group').selectOption({ label: 'California Northern / Sacramento' })
    await admin.page.getByRole('button', { name: 'Create account' }).click()
    await admin.page.getByRole('status').waitFor()
    expect(await admin.page.getByRole('row', { name: /Ada Nwosu ada@tekton\.example Sacramento Viewer/ }).count()).toBe(
      1,
    )
    expect(admin.problems()).toEqual([])
    await admin.close()

    const added = await visit()
    await added.page.goto('/')
    await signIn(added.page, 'ada@tekton.example', 'a-first-password')
    expect(await cards(added.page)).toEqual(numbered('Sacramento', 2))
    expect(await added.page.getByRole('link', { name: 'People' }).count()).toBe(0)
    expect(added.problems()).toEqual([])
    await added.close()
  })

  test('a forgotten password is replaced through the link in the mail, which works once', async () => {
    const { page, problems, close } = await visit()
    await page.goto('/login')
    await page.getByRole('link', { name: 'Forgotten?' }).click()
    await page.getByLabel('E-mail address').fill('sandiego@tekton.example')
    await page.getByRole('button', { name: 'Send the link' }).click()
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    const link = await linkInMail(join(running.config.dataDir, 'outbox'), 'sandiego@tekton.example')
    expect(new URL(link).origin).toBe(new URL(page.url()).origin)
    await page.goto(link)
    expect(await faultsOf(page)).toEqual([])
    await page.getByLabel('New password').fill('quite-another-1')
    await page.getByRole('button', { name: 'Save and sign in' }).click()
    await page.getByRole('status').waitFor()
    await signIn(page, 'sandiego@tekton.example', 'quite-another-1')
    expect(await cards(page)).toEqual(numbered('San Diego', 3))
    await page.context().clearCookies()
    await page.goto(link)
    await page.getByLabel('New password').fill('and-a-third-one-1')
    await page.getByRole('button', { name: 'Save and sign in' }).click()
    await page.getByRole('alert').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  test('a person exports their data and downloads it', async () => {
    const { page, problems, close } = await signedIn(norcal)
    await page.getByRole('button', { name: 'Export my data' }).click()
    await page.getByRole('heading', { level: 1, name: 'Exports' }).waitFor()
    const link = page.getByRole('link', { name: /^Download noah-lindqvist-export-/ })
    await link.waitFor({ timeout: 20_000 })
    expect(await faultsOf(page)).toEqual([])
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect(download.suggestedFilename()).toMatch(/^noah-lindqvist-export-\d{4}-\d\d-\d\d\.zip$/)
    expect(problems()).toEqual([])
    await close()
  })

  test('the bar of an export moves by itself, and the archive is offered when it is ready', async () => {
    const app = appOf('silent')
    const jobs = app.collection('jobs')
    const user = await app.collection('users').first({ field: 'email', op: 'eq', value: 'global@tekton.example' })
    const job = (await jobs.first({ field: 'key', op: 'eq', value: `${user!.id} 0` }))!
    const { page, problems, close } = await signedIn('global@tekton.example', { slug: 'silent' })
    await page.goto('/exports')
    const bar = page.getByRole('progressbar')
    expect(await bar.getAttribute('value')).toBe('40')
    await page.evaluate('globalThis.sameDocument = true')
    await jobs.update(job.id, { progress: { completed: 11, total: 14, status: 'Device 12 of 14' } })
    await page.getByText('Device 12 of 14').waitFor()
    expect(await bar.evaluate((one: { value: number }) => one.value)).toBe(78)
    await jobs.update(job.id, { status: 'done', output: { ...archive, fileName: 'fresh.zip' }, leaseUntil: undefined })
    await page.getByRole('link', { name: 'Download fresh.zip' }).waitFor()
    expect(await bar.count()).toBe(0)
    expect(await page.evaluate('globalThis.sameDocument')).toBe(true)
    expect(problems()).toEqual([])
    await close()
  })

  test('who takes care of an alert says so, on the list and at the device', async () => {
    const { page, problems, close } = await signedIn('sandiego@tekton.example', { slug: 'silent' })
    await page.getByRole('link', { name: /^2 open alerts/ }).click()
    await page.getByRole('button', { name: 'Take care of Coolant is too hot, San Diego Generator 1' }).click()
    await page.getByText('Daniel Sato takes care').waitFor()
    await page.getByRole('link', { name: 'San Diego Generator 1' }).first().click()
    await page.getByRole('heading', { level: 1, name: 'San Diego Generator 1' }).waitFor()
    await page.getByText('Daniel Sato takes care').waitFor()
    expect(problems()).toEqual([])
    await close()
  })

  test('a person chooses what to hear of', async () => {
    const { page, problems, close } = await signedIn('sanbruno@tekton.example', { slug: 'silent' })
    await page.getByRole('link', { name: /Bianca Moreno/ }).click()
    await page.getByLabel('Warning').check()
    await page.getByLabel('From').fill('07:30')
    await page.getByLabel('Until').fill('19:00')
    await page.getByLabel('Time zone').selectOption('America/Los_Angeles')
    await page.getByLabel('Phone number').fill('+1 555 0100')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('status').waitFor()
    await page.goto('/account')
    expect(await page.getByLabel('Warning').isChecked()).toBe(true)
    expect(await page.getByLabel('From').inputValue()).toBe('07:30')
    expect(await page.getByLabel('Time zone').inputValue()).toBe('America/Los_Angeles')
    expect(problems()).toEqual([])
    await close()
  })

  const everyone = 'support@kanarra.example'
  const pages: { name: string; path: string; as?: string; slug?: string; status?: number; heading: string }[] = [
    { name: 'sign in', path: '/login', heading: 'Welcome back' },
    { name: 'forgotten password', path: '/forgot-password', heading: 'Forgotten your password?' },
    { name: 'overview', path: '/', as: everyone, heading: 'All generators' },
    { name: 'a device', path: 'device', as: everyone, heading: 'Anaheim Generator 1' },
    { name: 'people', path: '/admin/users', as: everyone, heading: 'People' },
    {
      name: 'people for a viewer',
      path: '/admin/users',
      as: 'sanbruno@tekton.example',
      status: 403,
      heading: 'This page is for administrators',
    },
    { name: 'alerts', path: '/alerts', as: everyone, slug: 'silent', heading: 'Alerts' },
    { name: 'alerts with long names', path: '/alerts', as: everyone, slug: 'broken', heading: 'Alerts' },
    { name: 'alerts, none', path: '/alerts', as: 'ops@sadler.example', slug: 'silent', heading: 'Alerts' },
    { name: 'exports', path: '/exports', as: everyone, slug: 'silent', heading: 'Exports' },
    { name: 'exports with long names', path: '/exports', as: norcal, slug: 'broken', heading: 'Exports' },
    { name: 'exports, none', path: '/exports', as: 'global@tekton.example', heading: 'Exports' },
    { name: 'account', path: '/account', as: everyone, heading: 'Your account' },
    { name: 'account with long names', path: '/account', as: norcal, slug: 'broken', heading: 'Your account' },
    { name: 'tenancy', path: '/about', as: everyone, heading: 'Who sees what' },
    { name: 'not found', path: '/no/such/page', status: 404, heading: 'There is no page here' },
    {
      name: 'not found, signed in',
      path: '/no/such/page',
      as: everyone,
      status: 404,
      heading: 'There is no page here',
    },
    {
      name: 'an error',
      path: '/about',
      as: norcal,
      slug: 'broken',
      status: 500,
      heading: 'Something went wrong on our side',
    },
    { name: 'overview with long names', path: '/', as: norcal, slug: 'broken', heading: 'All generators' },
    { name: 'a device with a long name', path: 'device', as: norcal, slug: 'broken', heading: 'OAK-' },
    { name: 'overview without readings', path: '/', as: norcal, slug: 'silent', heading: 'All generators' },
    { name: 'a device without readings', path: 'device', as: norcal, slug: 'silent', heading: 'Oakland Generator 1' },
    { name: 'one to many', path: '/', as: 'user1@example.com', slug: 'one-to-many', heading: 'All generators' },
    { name: 'a device of many to many', path: 'device', as: 'user1@example.com', slug: 'many-to-many', heading: '' },
  ]
  const sizes = [desktop, phone]
  test.each(pages.flatMap((page) => sizes.map((viewport) => [page.name, viewport.width, { page, viewport }] as const)))(
    '%s is sound at %d pixels',
    async (_name, _width, { page: wanted, viewport }) => {
      const options = { slug: wanted.slug, viewport }
      const { page, problems, close } = wanted.as ? await signedIn(wanted.as, options) : await visit(options)
      if (wanted.path === 'device') {
        await page.locator('.card h3 a').first().click()
        await page.locator('#history').waitFor()
        if (wanted.slug !== 'silent') await page.locator('.chart-canvas').first().waitFor({ timeout: READINGS_MS })
      } else expect((await page.goto(wanted.path))?.status()).toBe(wanted.status ?? 200)
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(wanted.heading)
      expect(await faultsOf(page)).toEqual([])
      expect(problems()).toEqual([])
      await close()
    },
  )

  test.each(sizes)('the admin host lists the applications with links that work, at $width pixels', async (viewport) => {
    const origin = `http://localhost:${running.port}`
    const { page, problems, close } = await openVisitor(browser, { origin, viewport })
    expect((await page.goto('/'))?.status()).toBe(200)
    expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(
      expect.arrayContaining(['Generators', 'One to many', 'Many to many']),
    )
    expect(await faultsOf(page)).toEqual([])
    expect(problems()).toEqual([])
    await page.getByRole('link', { name: `http://generators.localhost:${running.port}` }).click()
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor()
    await close()
  })

  test('nothing but the page that was broken on purpose failed on the server', () => {
    expect(running.log.filter(({ level, flow }) => Number(level) >= 50 || flow !== 'Tenancy page')).toEqual([])
  })
})

async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/login')
}

function cards(page: Page): Promise<string[]> {
  return page.locator('.card h3').allInnerTexts()
}

function numbered(site: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${site} Generator ${i + 1}`)
}

const archive = {
  ...{ blobKey: 'none', fileName: 'grace.zip', sizeBytes: 2_400_000, devices: 14, points: 120_960 },
  ...{ downloadPath: `/_exports/${'0'.repeat(24)}`, expiresAt: Date.now() + 86_400_000 },
}

/** Alerts of all kinds at three generators, and exports in all states for everyone. */
async function addHistory(app: AppStore): Promise<void> {
  const { events } = openResources({ app, now: Date.now })
  const alerts = [
    { level: 'critical', subject: 'Coolant is too hot', message: 'Coolant 116.4 °C, above 105 °C' },
    { level: 'warning', subject: 'Fuel is low', message: 'Fuel 14%, below 20%', state: 'acknowledged' },
    {
      level: 'warning',
      subject: 'Starter battery is weak',
      message: 'Battery 22.9 V, below 23.5 V',
      state: 'resolved',
    },
    { level: 'critical', subject: 'Almost out of fuel', message: 'Fuel 6%, below 8%', state: 'resolved' },
  ]
  for await (const { id, name } of app.collection('devices').each()) {
    if (!name.endsWith(' 1') && !name.startsWith('OAK') && !name.includes('backup')) continue
    if (/Boise|Tacoma/.test(name)) continue
    for (const alert of alerts) {
      const { id: event } = await events.create({ ...alert, state: 'new', deviceId: id })
      if (alert.state !== undefined)
        await events.update(event, { state: alert.state, comment: 'Sam Rivera takes care' })
    }
  }
  const states = [
    {
      status: 'running',
      progress: { completed: 6, total: 15, status: 'Device 7 of 15' },
      leaseUntil: Date.now() + 3_600_000,
    },
    { status: 'done', progress: { completed: 14, total: 14 }, output: archive },
    {
      status: 'done',
      progress: { completed: 14, total: 14 },
      output: { ...archive, fileName: `${'a-very-long-name-'.repeat(4)}.zip`, expiresAt: 1 },
    },
    { status: 'failed', progress: { completed: 0 }, error: { code: 'export.forbidden', message: 'No' } },
  ] as const
  for await (const { id } of app.collection('users').each()) {
    const requestedBy = { type: 'experienceUser', id }
    for (const [number, state] of states.entries()) {
      const key = `${id} ${number}`
      await app.collection('jobs').insert({ kind: 'data-export', key, input: {}, attempts: 1, requestedBy, ...state })
    }
  }
}

/** A copy of the generators without readings, until its timer is switched on; that then fires each second. Its path. */
async function quietCopy(): Promise<string> {
  const folder = await temporaryFolder()
  await cp(join(examples, 'generators'), folder, { recursive: true })
  await edit(join(folder, 'workflows/cloud/Simulated_readings.yaml'), [
    ['enabled: true\n', 'enabled: false\n'],
    ['seconds: 10\n', 'seconds: 1\n'],
  ])
  return folder
}

/** A copy of the generators in which one page fails and names are as long as names get. Its path. */
async function brokenCopy(): Promise<string> {
  const folder = await temporaryFolder()
  await cp(join(examples, 'generators'), folder, { recursive: true })
  await edit(join(folder, 'experience/develop/workflows/Tenancy_page.yaml'), [
    ['const inside =', "throw new Error('broken on purpose')\n            const inside ="],
  ])
  await edit(join(folder, 'devices.yaml'), [
    ['name: Oakland Generator 1\n', 'name: OAK-GENERATORWITHALONGUNBREAKABLESERIALNUMBER0000000001\n'],
    [
      'name: San Bruno Generator 1\n',
      'name: San Bruno backup generator number one of the emergency department, west wing\n',
    ],
    ['value: Main tower\n', 'value: Main tower of the old surgical and emergency department\n'],
  ])
  await edit(join(folder, 'experience/groups.yaml'), [
    ['name: Oakland\n', 'name: Oakland Medical Center and Research Campus at the Lake\n'],
    ['name: California Northern\n', 'name: California Northern and the Pacific Coast Counties\n'],
  ])
  await edit(join(folder, 'experience/users.yaml'), [
    ['firstName: Noah\n', 'firstName: Maximiliane-Konstantina\n'],
    ['lastName: Lindqvist\n', 'lastName: Freifrau von Hohenstein-Wittelsbach\n'],
  ])
  return folder
}

async function edit(file: string, changes: readonly (readonly [string, string])[]): Promise<void> {
  let text = await readFile(file, 'utf8')
  for (const [from, to] of changes) {
    expect(text).toContain(from)
    text = text.replaceAll(from, to)
  }
  await writeFile(file, text)
}
