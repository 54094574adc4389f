import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { browserMissing, browserPath, openBrowser, phone } from '../helpers/browser.ts'
import { faultsOf } from '../helpers/page-check.ts'
import { requireOrSkip } from '../helpers/services-needed.ts'

const describeInBrowser = requireOrSkip('Chromium', browserPath !== undefined, browserMissing)

const sound = (body: string, style = '') =>
  `<!doctype html><html lang="en"><title>A page</title><style>${style}</style><h1>Heading</h1><a href="/">Home</a>${body}`

describeInBrowser('the check of pages', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  test.each([
    ['finds nothing on a sound page', sound('<label>Name <input></label>'), []],
    ['misses a title', '<!doctype html><html lang="en"><h1>Heading</h1><a href="/">Home</a>', ['no title']],
    ['misses a label', sound('<input>'), ['no label: <input>']],
    ['misses a name', sound('<button></button>'), ['no name: <button></button>']],
    ['sees faint text', sound('<p style="color: #aaa">Faint</p>'), ['contrast 2.32: "Faint"']],
    [
      'sees what is too wide',
      sound('<div style="width: 500px; height: 1px"></div>'),
      [/^wider than the window by \d+ px: <div/],
    ],
    [
      'sees a focus that is hidden',
      sound('', ':focus { outline: none }'),
      ['focus cannot be seen: <a href="/">Home</a>'],
    ],
    ['sees an id that is there twice', sound('<p id="a"></p><p id="a"></p>'), ['id twice: a', 'id twice: a']],
  ])('%s', async (_, html, expected) => {
    const page = await browser.newPage({ viewport: phone })
    await page.setContent(html)
    const faults = expected.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one)))
    expect(await faultsOf(page)).toEqual(faults)
    await page.close()
  })
})
