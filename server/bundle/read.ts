import { type Kind, kindOf } from './kinds.ts'
import { parseJson, parseLimits, parseYaml } from './parse.ts'
import { type Problem, pointTo, problem } from './problem.ts'
import { subtree, type Tree, type TreeFile } from './tree.ts'

/** One resource as it is written in a file; the children of a tree are resources of their own. */
export interface Resource {
  kind: Kind
  file: string
  /** JSON pointer into the file. */
  pointer: string
  value: Record<string, unknown>
  /** The resource that has it among its `children`. */
  parent?: Resource
  /** What stands in the file that `localFilename` names, byte for byte. */
  text?: { file: string; content: string }
}

/** An application as a folder of files, read but not yet checked. References still stand in it as placeholders. */
export interface Bundle {
  /** Name of the folder. */
  name: string
  resources: Resource[]
  /** The files that its end users can load: `path` with a leading slash. */
  assets: { path: string; private: boolean; file: TreeFile }[]
  readme?: { file: string; content: string }
  /** Source of the files that hold resources, by path. */
  sources: Map<string, string>
  problems: Problem[]
}

/** What files held when they were read last, by path: one that is as it was is not parsed again. Nobody changes what is in it. */
export type ParseCache = Map<string, { source: string; value: unknown }>

/** What a YAML or JSON file holds; undefined when `problems` got an entry for it. */
export async function readStructure(
  file: TreeFile,
  problems: Problem[],
  cache?: ParseCache,
): Promise<{ source: string; value: unknown } | undefined> {
  const source = await readText(file, parseLimits.bytes, problems)
  if (source === undefined) return undefined
  const known = cache?.get(file.path)
  if (known?.source === source) return known
  const json = file.path.endsWith('.json')
  const parsed = json ? parseJson(source) : parseYaml(source)
  if ('value' in parsed) {
    const structure = { source, value: parsed.value }
    cache?.set(file.path, structure)
    return structure
  }
  const { message, line } = parsed
  problems.push(
    problem(json ? 'bundle.json' : 'bundle.yaml', file.path, `Expected ${json ? 'JSON' : 'YAML'}: ${message}`, {
      line,
    }),
  )
  return undefined
}

/** The folders of a tree that hold an application: `''` for the tree itself. */
export function applicationFolders(tree: Tree): string[] {
  const roots = [...tree.files.keys()].flatMap((path) => {
    const match = /^(?:(.*)\/)?application\.(?:yaml|yml|json)$/.exec(path)
    return match ? [match[1] ?? ''] : []
  })
  return roots.filter(
    (root) => !roots.some((other) => other !== root && (other === '' || root.startsWith(`${other}/`))),
  )
}

/**
 * Reads an application folder; a tree with the folder one level deeper will do. Resources are found by their
 * `resourceType`, wherever the file lies. Everything that cannot be read is in `problems`, all at once. `cache` is for who
 * reads the same folder again and again.
 */
export async function readBundle(given: Tree, cache?: ParseCache): Promise<Bundle> {
  const roots = applicationFolders(given)
  const root = roots.length === 1 && !roots[0]!.includes('/') ? roots[0]! : ''
  const tree = { ...subtree(given, root), name: given.name }
  const bundle: Bundle = {
    name: tree.name,
    resources: [],
    assets: [],
    sources: new Map(),
    problems: [...tree.problems],
  }
  for (const file of tree.files.values()) {
    const asset = /^(files|privateFiles)(\/.+)$/.exec(file.path)
    if (asset) bundle.assets.push({ path: asset[2]!, private: asset[1] === 'privateFiles', file })
    else if (/\.(ya?ml|json)$/.test(file.path)) await readEnvelope(file, bundle, cache)
  }
  await readTexts(tree, bundle)
  if (!bundle.resources.some((one) => one.kind.name === 'Application')) {
    bundle.problems.push(
      problem('bundle.missing', 'application.yaml', 'Expected an application.yaml with a resource of type Application'),
    )
  }
  return bundle
}

async function readEnvelope(file: TreeFile, bundle: Bundle, cache?: ParseCache): Promise<void> {
  const structure = await readStructure(file, bundle.problems, cache)
  if (structure === undefined) return
  const { value } = structure
  // Other files may lie in the folder: test requests, catalogue pages, settings of tools.
  if (!isObject(value) || !Object.hasOwn(value, 'resourceType')) return
  const fail = (pointer: string, message: string) =>
    bundle.problems.push(problem('bundle.envelope', file.path, message, { pointer }))
  if (value.version !== 1)
    fail('/version', `Expected the format version 1, got ${JSON.stringify(value.version) ?? 'nothing'}`)
  if (!Array.isArray(value.resources)) {
    return void fail(
      '/resources',
      `Expected a list of resources, got ${JSON.stringify(value.resources)?.slice(0, 60) ?? 'nothing'}`,
    )
  }
  const kind = kindOf(value.resourceType)
  if (kind === undefined) {
    const message = `The resource type ${JSON.stringify(value.resourceType)} is not known; the file is left out`
    bundle.problems.push(problem('bundle.kind', file.path, message, { pointer: '/resourceType', severity: 'warning' }))
    return
  }
  bundle.sources.set(file.path, structure.source)
  addResources({ kind, list: value.resources, pointer: '/resources', file: file.path }, bundle)
}

function addResources(
  from: { kind: Kind; list: unknown[]; pointer: string; file: string; parent?: Resource },
  bundle: Bundle,
): void {
  const { kind, file, parent } = from
  for (const [index, value] of from.list.entries()) {
    const pointer = pointTo(from.pointer, index)
    if (!isObject(value)) {
      bundle.problems.push(problem('bundle.envelope', file, 'Expected a resource to be an object', { pointer }))
      continue
    }
    const resource: Resource = { kind, file, pointer, value, parent }
    bundle.resources.push(resource)
    if (!kind.tree || value.children === undefined || value.children === null) continue
    const at = pointTo(pointer, 'children')
    if (Array.isArray(value.children))
      addResources({ kind, list: value.children, pointer: at, file, parent: resource }, bundle)
    else bundle.problems.push(problem('resource.field', file, 'Expected "children" to be a list', { pointer: at }))
  }
}

// The texts beside the resources: bodies of views, tables, the read-me.
async function readTexts(tree: Tree, bundle: Bundle): Promise<void> {
  for (const resource of bundle.resources) {
    const { value, file } = resource
    if (value.localFilename !== undefined) {
      const pointer = pointTo(resource.pointer, 'localFilename')
      const target = beside(tree, value.localFilename, { file, pointer }, bundle.problems)
      const content = target && (await readText(target, parseLimits.bytes, bundle.problems))
      if (target && content !== undefined) resource.text = { file: target.path, content }
    }
    if (resource.kind.name !== 'Application') continue
    const path = typeof value.readmePath === 'string' ? value.readmePath.replace(/^\.\//, '') : 'README.md'
    const readme = tree.files.get(path)
    const content = readme && (await readText(readme, parseLimits.bytes, bundle.problems))
    if (readme && content !== undefined) bundle.readme = { file: readme.path, content }
  }
}

// Only what the tree lists can be named, so no name leads out of it.
function beside(
  tree: Tree,
  name: unknown,
  at: { file: string; pointer: string },
  problems: Problem[],
): TreeFile | undefined {
  if (typeof name !== 'string' || name === '') {
    problems.push(
      problem('resource.field', at.file, 'Expected "localFilename" to be the path of a file', { pointer: at.pointer }),
    )
    return undefined
  }
  const steps = at.file.split('/').slice(0, -1)
  for (const step of name.split('/')) {
    if (step === '..' && steps.pop() === undefined) steps.push('..')
    else if (step !== '..' && step !== '.' && step !== '') steps.push(step)
  }
  if (name.startsWith('/') || name.includes('\\') || name.includes('\0') || steps[0] === '..') {
    const message = `Expected a file of this folder, got ${JSON.stringify(name)}, which leads out of it`
    problems.push(problem('bundle.path', at.file, message, { pointer: at.pointer }))
    return undefined
  }
  const found = tree.files.get(steps.join('/'))
  if (found === undefined) {
    problems.push(
      problem('bundle.missing', at.file, `There is no file ${JSON.stringify(name)}`, { pointer: at.pointer }),
    )
  }
  return found
}

async function readText(file: TreeFile, mostBytes: number, problems: Problem[]): Promise<string | undefined> {
  if (file.sizeBytes > mostBytes) {
    problems.push(problem('bundle.limit', file.path, `Expected at most ${mostBytes} bytes, got ${file.sizeBytes}`))
    return undefined
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.read())
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    problems.push(problem('bundle.yaml', file.path, 'Expected UTF-8 text'))
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
