import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { openSqlite } from '../../server/store/sqlite.ts'
import { clientOf } from '../helpers/client.ts'
import { temporaryFolder } from '../helpers/store.ts'
import { type Contents, cloudFlow, endpoint, envelope, ref, smallApp, view } from '../server/bundle/small-app.ts'
import { type Cli, cli, root } from './server-process.ts'

let folder: string
let server: Cli
let port: number

const at = (path: string) => join(folder, path)

async function put(dir: string, contents: Contents): Promise<void> {
  for (const [path, content] of Object.entries(contents)) {
    await mkdir(dirname(at(join(dir, path))), { recursive: true })
    await writeFile(at(join(dir, path)), content)
  }
}

async function get(path: string, slug = 'small'): Promise<string> {
  const { status, text } = await clientOf(port, `${slug}.localhost`).get(path)
  return `${status} ${text}`
}

/** Milliseconds until a page says something. */
async function until(says: string, path: string, slug?: string): Promise<number> {
  const started = performance.now()
  for (;;) {
    if ((await get(path, slug)).includes(says)) return performance.now() - started
    if (performance.now() - started > 8_000) throw new Error(`${path} never said ${says}: ${await get(path, slug)}`)
    await wait(5)
  }
}

async function fileUrl(slug: string, name: string): Promise<string> {
  const store = await openSqlite({ file: at('data/headgate.db') })
  const host = await store.hosts.find(slug)
  await store.close()
  return `/_files/${host?.scope.application}/${name}`
}

const home = 'small/experience/develop/pages/home.hbs'

beforeEach(async () => {
  folder = await temporaryFolder()
})

async function start(...folders: string[]): Promise<void> {
  server = cli(['dev', ...folders.map(at)], { DATA_DIR: at('data') })
  port = await server.port()
}

describe('dev', () => {
  test('takes up saves however an editor makes them, again and again', async () => {
    await put('.', Object.fromEntries(Object.entries(smallApp()).map(([path, content]) => [`small/${path}`, content])))
    await start('small')
    for (const round of [1, 2, 3]) {
      await writeFile(at(home), `in place ${round}`)
      await until(`in place ${round}`, '/')
      await writeFile(at(`${home}~`), `by rename ${round}`)
      await rename(at(`${home}~`), at(home))
      await until(`by rename ${round}`, '/')
      await rename(at(home), at(`${home}.bak`))
      await writeFile(at(home), `with a backup ${round}`)
      await until(`with a backup ${round}`, '/')
      await rm(at(home))
      await writeFile(at(home), `written anew ${round}`)
      await until(`written anew ${round}`, '/')
    }
    expect(server.out.join('\n')).toMatch(/home\.hbs.*: taken up in \d+ ms/)
    expect(server.err.filter((line) => !line.includes('home.hbs'))).toEqual([])
  })

  test('follows files and folders that come, are moved and go, in all of its folders', async () => {
    await put('small', smallApp())
    await put('other', { ...smallApp(), 'experience/develop/pages/home.hbs': 'the other' })
    await start('small', 'other=second')
    expect(await get('/', 'second')).toContain('the other')
    await put('small/experience/develop/more/deep', {
      'endpoints.yaml': envelope(
        'ExperienceEndpoint',
        endpoint('get', '/more', { staticReply: { type: 'page', value: ref('experienceView', 'more') } }),
      ),
      'views.yaml': envelope('ExperienceView', view('page', 'more')),
      'more.hbs': 'more of it',
    })
    await until('more of it', '/more')
    await writeFile(at('small/experience/develop/more/deep/more.hbs'), 'changed there')
    await until('changed there', '/more')
    await rename(at('small/experience/develop/more'), at('small/experience/develop/moved'))
    await writeFile(at('small/experience/develop/moved/deep/more.hbs'), 'changed after the move')
    await until('changed after the move', '/more')
    await rm(at('small/experience/develop/moved'), { recursive: true })
    await server.line(/moved.*taken up/)
    await writeFile(at('other/experience/develop/pages/home.hbs'), 'the second')
    await until('the second', '/', 'second')
    expect(await get('/more')).not.toContain('changed')
    await put('small/files', { 'site.css': 'a { color: red }' })
    await until('color: red', await fileUrl('small', 'site.css'))
    await writeFile(at('small/files/site.css'), 'a { color: blue }')
    await until('color: blue', await fileUrl('small', 'site.css'))
  })

  test('says what is wrong with a broken save, goes on with what was there, and takes up the mended one', async () => {
    await put('small', smallApp())
    await start('small')
    const flow = at('small/workflows/cloud/Tick.yaml')
    const before = await get('/')
    await writeFile(flow, 'a: [')
    await server.line(/workflows\/cloud\/Tick\.yaml:1: error: Expected YAML/)
    await server.line(/was not imported/)
    expect(await get('/')).toBe(before)
    const wrong = cloudFlow('tick', { nodes: [{ id: 'x', type: 'MutateNode', config: {}, outputIds: [['gone']] }] })
    await writeFile(flow, envelope('Flow', wrong))
    await server.line(/Tick\.yaml:\d+: error flow "tick" node x/)
    await rm(at('small/application.yaml'))
    await server.line(/Expected an application\.yaml/)
    expect(await get('/')).toBe(before)
    await writeFile(at(home), 'mended')
    await put('small', { 'application.yaml': smallApp()['application.yaml']! })
    await writeFile(flow, smallApp()['workflows/cloud/Tick.yaml']!)
    await until('mended', '/')
  })

  test('answers with every saved file, and says how fast', async () => {
    await cp(join(root, 'examples/generators'), at('generators'), { recursive: true })
    await start('generators')
    const times: number[] = []
    const layout = at('generators/experience/develop/layouts/signIn.hbs')
    const style = at('generators/files/styles.css')
    const views = at('generators/experience/develop/pages/pages.yaml')
    const original = await readFile(layout, 'utf8')
    const styles = await fileUrl('generators', 'styles.css')
    const pages = await readFile(views, 'utf8')
    for (const round of [1, 2, 3]) {
      await writeFile(layout, `${original}<!-- round ${round} -->`)
      times.push(await until(`<!-- round ${round} -->`, '/login', 'generators'))
      await writeFile(style, `.round-${round} {}`)
      times.push(await until(`.round-${round} {}`, styles, 'generators'))
      await writeFile(views, `${pages}# ${round}\n`)
      await writeFile(layout, `${original}<!-- again ${round} -->`)
      times.push(await until(`<!-- again ${round} -->`, '/login', 'generators'))
    }
    times.sort((a, b) => a - b)
    console.log(`hot reload: median ${times[4]!.toFixed(0)} ms, slowest ${times.at(-1)!.toFixed(0)} ms`)
    expect(server.err).toEqual([])
  })
})
