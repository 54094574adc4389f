import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'

const pool = join(import.meta.dirname, '../../../engine/sandbox/pool.ts')

/** A process with a pool that runs one script, and says the ids of its children once the script runs. */
async function parentOf(script: string): Promise<{ parent: ChildProcess; children: number[] }> {
  const source = `import { openFunctionPool } from ${JSON.stringify(pool)}
    const pool = openFunctionPool({ timeoutMs: 20_000 })
    await pool.run({ script: 'return 1', value: {}, application: 'a' })
    pool.run({ script: ${JSON.stringify(script)}, value: {}, application: 'a' }).catch(() => undefined)
    setTimeout(() => console.log('running'), 200)
    setInterval(() => undefined, 1_000)`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface(parent.stdout!), 'line')
  return { parent, children: childrenOf(parent.pid!) }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    return parentIdOf(Number(name)) === pid ? Number(name) : []
  })
}

function parentIdOf(pid: number): number | undefined {
  try {
    const [, state, parent] = /\) (\S) (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))!
    // Z: it has ended, and nobody has asked how.
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    // The process has ended.
    return undefined
  }
}

const hang = "const e = new Error(); Object.defineProperty(e, 'stack', { get() { while (true); } }); Promise.reject(e)"

describe.runIf(process.platform === 'linux')('the children of a process that is killed', () => {
  test.each([
    ['idle', 'return 1'],
    ['busy in a loop', 'while (true);'],
    ['hanging in their only thread', hang],
  ])('end with it when they are %s', async (_, script) => {
    const { parent, children } = await parentOf(script)
    // The child, and the shell that watches over it.
    expect(children).toHaveLength(2)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await expect.poll(() => children.map(parentIdOf), { timeout: 5_000 }).toEqual([undefined, undefined])
  })
})
