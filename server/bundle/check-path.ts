import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from '../config.ts'
import { type CheckOptions, type CheckResult, checkBundle, checkFlow, flowClassOf } from './check.ts'
import { checkGroups } from './check-groups.ts'
import { kindOf } from './kinds.ts'
import { type Problem, pointTo, problem } from './problem.ts'
import { applicationFolders, readBundle, readStructure } from './read.ts'
import { openFolder, subtree, type Tree, treeOf } from './tree.ts'

/** What `checkPath` found: files are named as the caller can open them. `sources` are the texts of the files. */
export interface PathResult extends CheckResult {
  sources: Map<string, string>
}

/**
 * Checks whatever lies at a path: an application folder, a folder with several of them, a folder of flow files, or one
 * flow file (YAML or JSON, in an envelope or bare). Throws ConfigError when there is nothing at the path.
 */
export async function checkPath(path: string, options: CheckOptions): Promise<PathResult> {
  const info = await stat(path).catch((error: Error) => {
    throw new ConfigError(`Expected a flow file or a folder, got ${path} (${error.message})`)
  })
  const result: PathResult = { problems: [], flows: [], unsupported: {}, sources: new Map() }
  if (info.isDirectory()) await checkFolder(path, options, result)
  else {
    const folder = dirname(path)
    const tree = treeOf(folder, { [basename(path)]: await readFile(path) })
    await checkFile(tree, { path: basename(path), folder, strict: true }, options, result)
  }
  return result
}

async function checkFolder(path: string, options: CheckOptions, result: PathResult): Promise<void> {
  const tree = await openFolder(path)
  const applications = applicationFolders(tree)
  for (const folder of applications) {
    const bundle = await readBundle(subtree(tree, folder))
    const checked = checkBundle(bundle, options)
    checked.problems.push(...(await checkGroups(bundle)))
    merge(result, checked, join(path, folder))
    for (const [file, source] of bundle.sources) result.sources.set(join(path, folder, file), source)
  }
  const outside = [...tree.files.keys()].filter(
    (file) => /\.(ya?ml|json)$/.test(file) && !applications.some((one) => one === '' || file.startsWith(`${one}/`)),
  )
  for (const file of outside) await checkFile(tree, { path: file, folder: path, strict: false }, options, result)
  if (applications.length === 0 && result.flows.length === 0 && result.problems.length === 0) {
    result.problems.push(problem('bundle.missing', path, 'Expected an application.yaml or flow files, found neither'))
  }
}

// `strict`: the file was named by the caller, so it must be a flow.
async function checkFile(
  tree: Tree,
  at: { path: string; folder: string; strict: boolean },
  options: CheckOptions,
  result: PathResult,
): Promise<void> {
  const name = join(at.folder, at.path)
  const own: CheckResult = { problems: [], flows: [], unsupported: {} }
  const structure = await readStructure(tree.files.get(at.path)!, own.problems)
  if (structure !== undefined) {
    result.sources.set(name, structure.source)
    const { value } = structure
    const found = flowsIn(value)
    for (const one of found) checkFlow({ file: at.path, ...one }, one.flowClass, options, own)
    if (at.strict && found.length === 0) {
      const message = 'Expected a flow: an object with "nodes" and "triggers", or an envelope with resourceType Flow'
      own.problems.push(problem('flow.invalid', at.path, message))
    }
  }
  merge(result, own, at.folder)
}

function flowsIn(value: unknown) {
  if (!isObject(value)) return []
  if (!Object.hasOwn(value, 'resourceType')) {
    const bare = Array.isArray(value.nodes) || Array.isArray(value.triggers)
    return bare ? [{ pointer: '', value, flowClass: flowClassOf(value) }] : []
  }
  const kind = kindOf(value.resourceType)
  if (!kind?.open || !kind.supported || !Array.isArray(value.resources)) return []
  return value.resources.filter(isObject).map((one, index) => ({
    pointer: pointTo('/resources', index),
    value: one,
    flowClass: kind.name === 'ExperienceFlowVersion' ? ('experience' as const) : flowClassOf(one),
  }))
}

function merge(result: PathResult, part: CheckResult, folder: string): void {
  const rename = <T extends { file: string }>(one: T): T => ({ ...one, file: join(folder, one.file) })
  result.problems.push(...part.problems.map((one): Problem => rename(one)))
  result.flows.push(...part.flows.map(rename))
  for (const [type, count] of Object.entries(part.unsupported)) {
    result.unsupported[type] = (Object.hasOwn(result.unsupported, type) ? result.unsupported[type]! : 0) + count
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
