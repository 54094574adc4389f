import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { hostUrlsOf } from '../bundle/host-urls.ts'
import { substitution } from '../bundle/references.ts'
import { type Config, ConfigError } from '../config.ts'
import type { FlowContent } from '../store/documents/flows.ts'
import type { AppStore } from '../store/port.ts'

const library = join(import.meta.dirname, '../../flows')

/** True for what names a file, not a flow. */
export function isFlowFile(wanted: string): boolean {
  return /\.(json|ya?ml)$/i.test(wanted)
}

/** The application folder that a file is part of; undefined for a file that stands alone. */
export function applicationOf(file: string): string | undefined {
  for (let folder = dirname(resolve(file)); ; folder = dirname(folder)) {
    if (['yaml', 'yml', 'json'].some((ending) => existsSync(join(folder, `application.${ending}`)))) return folder
    if (folder === dirname(folder)) return undefined
  }
}

/** The file of a flow that ships with the product, by its name or that of its file; undefined when there is none. */
export async function libraryFile(name: string): Promise<string | undefined> {
  const wanted = name.toLowerCase().replaceAll(' ', '-')
  const file = (await readdir(library)).find((one) => isFlowFile(one) && one.replace(/\.\w+$/, '') === wanted)
  return file && join(library, file)
}

/**
 * Puts a flow file into an application, switched on, with ids of the application in the place of placeholders. Gives the id of
 * the flow. Throws ConfigError for a file that holds no flow.
 */
export async function addFlow(app: AppStore, file: string, config: Config): Promise<string> {
  const { content: written, name, flowClass } = flowIn(await textOf(file), file)
  const ids = new Map<string, string>()
  for await (const { key, targetId } of app.collection('origins').each()) {
    if (key.startsWith('~')) ids.set(key, targetId)
  }
  const content = substitution(ids, hostUrlsOf(config, 'run')).value(written)
  const { id } = await app.collection('flows').insert({ name, flowClass, enabled: true, content })
  if (flowClass === 'experience') {
    const version = typeof content.version === 'string' && content.version !== '' ? content.version : 'develop'
    await app.collection('flowVersions').insert({ flowId: id, version, name, enabled: true, content })
  }
  return id
}

/** The id of the flow with a name, whatever its case, switched on. Throws ConfigError with the names that there are. */
export async function findFlow(app: AppStore, wanted: string): Promise<string> {
  const flows = await app.collection('flows').find({ limit: 10_000, sort: { field: 'name', direction: 'asc' } })
  const named = (name: string) => name === wanted || name.toLowerCase() === wanted.toLowerCase()
  const flow = flows.find((one) => one.name === wanted) ?? flows.find((one) => named(one.name))
  if (!flow) {
    const names = flows.map((one) => one.name).join(', ')
    throw new ConfigError(`Expected a flow file or one of ${names || 'no flows'}, got "${wanted}"`)
  }
  await app.collection('flows').update(flow.id, { enabled: true })
  const versions = await app.collection('flowVersions').find({ filter: { field: 'flowId', op: 'eq', value: flow.id } })
  for (const { id, enabled } of versions)
    if (!enabled) await app.collection('flowVersions').update(id, { enabled: true })
  return flow.id
}

/** The text of a file. Throws ConfigError when it cannot be read. */
export async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new ConfigError(`Expected a file that can be read, got ${file} (${error.message})`)
  })
}

function flowIn(text: string, file: string) {
  const raw = parseText(text, file)
  const { resources, resourceType } = raw as { resources?: unknown; resourceType?: unknown }
  const flow: unknown = Array.isArray(resources) ? resources[0] : raw
  const isFlow = flow !== null && typeof flow === 'object' && ('nodes' in flow || 'triggers' in flow)
  if (!isFlow) throw new ConfigError(`Expected a flow with "nodes" and "triggers" in ${file}`)
  const { name, flowClass, ...rest } = flow as Record<string, unknown>
  const content: FlowContent = { triggers: [], nodes: [], globals: [], ...rest }
  const known = (['cloud', 'experience', 'customNode', 'edge', 'embedded'] as const).find((one) => one === flowClass)
  const ofKind = resourceType === 'ExperienceFlowVersion' ? 'experience' : 'cloud'
  return { content, name: typeof name === 'string' ? name : file, flowClass: known ?? ofKind }
}

function parseText(text: string, file: string): object {
  try {
    const value: unknown = file.toLowerCase().endsWith('.json') ? JSON.parse(text) : parse(text)
    if (value !== null && typeof value === 'object') return value
  } catch (error) {
    throw new ConfigError(`Expected a flow in ${file}: ${(error as Error).message}`)
  }
  throw new ConfigError(`Expected a flow in ${file}, got ${text.slice(0, 60) || 'nothing'}`)
}
