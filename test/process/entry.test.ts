import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './server-process.ts'

// Tells at the end which parts of Node were loaded for TypeScript.
const spy = `process.on('exit', () => console.error(process.moduleLoadList.filter((name) => name.includes('amaro')).join()))`

test('a command that has run before needs no parser for TypeScript', () => {
  const run = () =>
    spawnSync(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(spy)}`, join(root, 'server/headgate.mjs'), 'nodes'],
      { encoding: 'utf8' },
    )
  run()
  const { status, stderr, stdout } = run()
  expect({ status, parser: stderr.trim() }).toEqual({ status: 0, parser: '' })
  expect(stdout).toMatch(/^ {2}endpoint-reply /m)
})
