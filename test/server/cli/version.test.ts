import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { exportCommand } from '../../../server/cli/export.ts'
import { importCommand } from '../../../server/cli/import.ts'
import { versionCommand } from '../../../server/cli/version.ts'
import { ConfigError } from '../../../server/config.ts'
import { openSqlite } from '../../../server/store/sqlite.ts'
import { temporaryFolder } from '../../helpers/store.ts'
import { smallApp } from '../bundle/small-app.ts'

let folder: string
let out: string[]
let io: { out(line: string): void; err(line: string): void; env: NodeJS.ProcessEnv }

beforeEach(async () => {
  folder = await temporaryFolder()
  out = []
  const env = { DATA_DIR: join(folder, 'data') }
  io = { out: (line) => void out.push(line), err: (line) => void out.push(line), env }
  for (const [path, content] of Object.entries(smallApp())) {
    await mkdir(dirname(join(folder, 'small', path)), { recursive: true })
    await writeFile(join(folder, 'small', path), content)
  }
  expect(await importCommand([join(folder, 'small')], io)).toBe(0)
  out.length = 0
})

const version = (...args: string[]) => versionCommand(args, io)

async function hosts(): Promise<Record<string, string | undefined>> {
  const store = await openSqlite({ file: join(folder, 'data/headgate.db') })
  const { scope } = (await store.hosts.find('small'))!
  const found = await store.hosts.of(scope)
  await store.close()
  return Object.fromEntries(found.map((one) => [one.name, one.version]))
}

describe('version', () => {
  test('keeps develop under a name, points slugs at it, points them elsewhere, and deletes it', async () => {
    expect(await version('small', 'v1', '--slug', 'small-v1', '--slug', 'small', '--description', 'First')).toBe(0)
    expect(out).toEqual(['Made v1 of develop: 2 endpoints, 2 views, 1 flows', 'small-v1 shows v1', 'small shows v1'])
    expect(await hosts()).toEqual({ small: 'v1', 'small-v1': 'v1' })
    expect(await version('small', 'develop', '--point', '--slug', 'small')).toBe(0)
    expect(await hosts()).toEqual({ small: 'develop', 'small-v1': 'v1' })
    out.length = 0
    expect(await version('small', 'v1', '--delete')).toBe(0)
    expect(out).toEqual(['Deleted v1; small-v1 shows nothing until it is pointed elsewhere'])
  })

  test('is found by the id of the application, and survives an import of its folder', async () => {
    const store = await openSqlite({ file: join(folder, 'data/headgate.db') })
    const { application } = (await store.hosts.find('small'))!.scope
    await store.close()
    await version(application, 'v1', '--slug', 'small')
    out.length = 0
    expect(await importCommand([join(folder, 'small')], io)).toBe(0)
    expect(out.filter((line) => /(created|updated|removed)/.test(line)).join()).not.toMatch(
      /[1-9]\d* (created|updated|removed)/,
    )
    expect(await hosts()).toEqual({ small: 'v1' })
  })

  test('is part of an export, which imports as it was', async () => {
    await version('small', 'v1', '--description', 'First')
    await exportCommand(['small', join(folder, 'out')], io)
    out.length = 0
    expect(await importCommand([join(folder, 'out'), '--slug', 'copy'], io)).toBe(0)
    expect(out).toContain('views: 4 created, 0 updated, 0 removed, 0 unchanged')
    expect(out).toContain('experienceVersions: 2 created, 0 updated, 0 removed, 0 unchanged')
    await exportCommand(['copy', join(folder, 'again')], io)
    out.length = 0
    expect(await importCommand([join(folder, 'out'), '--slug', 'small'], io)).toBe(0)
    expect(out.join('\n')).not.toMatch(/[1-9]\d* (created|removed)/)
  })

  test.each<[string[], RegExp]>([
    [[], /Expected an application and the name of a version/],
    [['small'], /Expected an application and the name of a version/],
    [['small', 'v1', 'v2'], /Expected an application and the name of a version/],
    [['nobody', 'v1'], /the slug or id of an application, got "nobody"/],
    [['small', 'develop'], /other than develop/],
    [['small', 'develop', '--delete'], /got "develop"/],
    [['small', 'v9', '--delete'], /got "v9"/],
    [['small', 'v9', '--point', '--slug', 'small'], /There is no version "v9"/],
    [['small', 'v1', '--point'], /expected a --slug/],
    [['small', 'v1', '--delete', '--slug', 'small'], /expected no --slug/],
  ])('%j is a mistake of the caller', async (args, message) => {
    await expect(version(...args)).rejects.toThrow(message)
    await expect(version(...args)).rejects.toThrow(ConfigError)
    expect(await hosts()).toEqual({ small: 'develop' })
  })
})
