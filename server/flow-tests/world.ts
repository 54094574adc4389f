import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openTemplates } from '../../engine/template.ts'
import { catalog } from '../../nodes/index.ts'
import { hostUrlsOf } from '../bundle/host-urls.ts'
import { importBundle, scopeOf } from '../bundle/import.ts'
import { localTenant } from '../bundle/import-folder.ts'
import { openPasswordBook } from '../bundle/import-passwords.ts'
import type { Problem } from '../bundle/problem.ts'
import { readBundle } from '../bundle/read.ts'
import { type Substitution, substitution } from '../bundle/references.ts'
import { openFolder, type Tree, treeOf } from '../bundle/tree.ts'
import { addFlow } from '../cli/run-flow.ts'
import { type Config, ConfigError } from '../config.ts'
import type { Store } from '../store/port.ts'
import type { Scope } from '../store/scope.ts'
import { openSqlite } from '../store/sqlite.ts'
import type { TestFile } from './test-file.ts'
import { worldKind } from './test-file-rules.ts'

/** The application that the cases of one file start in, each in a copy of its own. */
export interface World {
  scope: Scope
  /** Id of the flow under test. */
  flowId: string
  /** Puts ids in the place of placeholders, also in keys. */
  resolve<T>(value: T): T
  /** The placeholder of an id; the id itself where it has none. */
  tokenOf(id: string): string
  /** Opens a copy in a new file; the caller closes it. */
  open(file: string): Promise<Store>
}

// A hash takes long on purpose: files that give the same password share one.
const passwordBook = openPasswordBook()

/**
 * Imports the application, what the file adds to it, and the flow, into a store of its own in `folder`. Gives the problems
 * instead where there are errors. Throws ConfigError for a file or folder that cannot be read.
 */
export async function buildWorld(
  test: TestFile,
  { flow, application, folder, config }: { flow: string; application?: string; folder: string; config: Config },
): Promise<World | Problem[]> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'world.db')
  const store = await openSqlite({ file })
  try {
    const tree = await treeWith(test, application)
    const scope = await scopeOf(store, 'test', localTenant)
    const report = await importBundle({
      ...{ store, scope, catalog, templates: openTemplates(), slug: 'test', passwordBook, password: test.password },
      bundle: await readBundle(tree),
      hostUrls: hostUrlsOf(config, 'test'),
      now: () => Date.now(),
    })
    const errors = report.problems.filter((one) => one.severity === 'error')
    if (!report.imported) return errors.map((one) => toOwn(one, test, application))
    const app = store.app(scope)
    const flowId = await addFlow(app, flow, config)
    const ids = new Map<string, string>()
    for await (const { key, targetId } of app.collection('origins').each()) {
      if (key.startsWith('~')) ids.set(key, targetId)
    }
    const tokens = new Map([...ids].map(([token, id]) => [id, token]))
    return {
      ...{ scope, flowId },
      resolve: resolver(substitution(ids, hostUrlsOf(config, 'test'))),
      tokenOf: (id) => tokens.get(id) ?? id,
      async open(copy) {
        await copyFile(file, copy)
        return openSqlite({ file: copy })
      },
    }
  } finally {
    // Closed: what stood in the log of the store is then in its file.
    await store.close()
  }
}

const FOLDER = 'world-of-the-test'

async function treeWith(test: TestFile, application: string | undefined): Promise<Tree> {
  const tree =
    application === undefined
      ? treeOf('test', { 'application.json': envelope('Application', [{ name: 'Test' }]) })
      : await openFolder(application).catch((error: Error) => {
          throw new ConfigError(`Expected a folder that holds an application, got ${application} (${error.message})`)
        })
  for (const [key, resources] of Object.entries(test.world)) {
    const path = `${FOLDER}/${key}.json`
    const { files } = treeOf('test', { [path]: envelope(worldKind(key)!, resources) })
    tree.files.set(path, files.get(path)!)
  }
  return tree
}

function envelope(resourceType: string, resources: unknown[]): string {
  return JSON.stringify({ resourceType, resources, version: 1 })
}

// What is wrong with the world stands in the test file; what is wrong with the application stands there.
function toOwn(one: Problem, { file }: TestFile, application: string | undefined): Problem {
  const key = new RegExp(`^${FOLDER}/(.+)\\.json$`).exec(one.file)?.[1]
  if (key === undefined) return { ...one, file: application === undefined ? file : join(application, one.file) }
  return { ...one, file, pointer: (one.pointer ?? '').replace(/^\/resources/, `/world/${key}`) }
}

// Keys, too: ids stand in keys of stored values. An id needs no escape in JSON.
function resolver({ text }: Substitution): World['resolve'] {
  return (value) => (value === undefined ? value : JSON.parse(text(JSON.stringify(value))))
}
