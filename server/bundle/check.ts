import { type Catalog, compileFlow } from '../../engine/compile.ts'
import { type FlowClass, flowClasses } from '../../engine/document.ts'
import type { Templates } from '../../engine/template.ts'
import { FILES_PREFIX } from '../experience/files.ts'
import { routeConflicts } from '../experience/match.ts'
import { checkView } from '../experience/views.ts'
import { isAnswered } from '../resources/api/api.ts'
import { fold } from '../store/fold.ts'
import { checkCustomNodes } from './check-custom-nodes.ts'
import { envelopeFields } from './kinds.ts'
import { type Problem, pointTo, problem } from './problem.ts'
import type { Bundle, Resource } from './read.ts'
import { declarationsOf, eachText, isHost, isReference, placeholdersIn } from './references.ts'
import { shape } from './rules.ts'
import { checkTable } from './tables.ts'

export interface CheckOptions {
  catalog: Catalog
  templates: Templates
}

/** What is wrong with an application or a flow: every problem at once, and what it asks for that is not supported. */
export interface CheckResult {
  problems: Problem[]
  /** Files with flows, in order, and the names of those flows. */
  flows: { file: string; flow: string }[]
  /** Types of nodes and triggers, and kinds of resources, that are known to be missing; how often each occurs. */
  unsupported: Record<string, number>
}

/** Checks an application as a whole. Begins with the problems of reading it. */
export function checkBundle(bundle: Bundle, options: CheckOptions): CheckResult {
  const result: CheckResult = { problems: [...bundle.problems], flows: [], unsupported: {} }
  const declared = declarationsOf(bundle)
  const classes = new Map<unknown, FlowClass>()
  for (const { kind, value } of bundle.resources) {
    if (kind.name === 'Flow') classes.set(value.id, flowClassOf(value))
  }
  for (const resource of bundle.resources) {
    if (!resource.kind.supported) {
      count(result.unsupported, resource.kind.name)
      continue
    }
    const isSound = checkFields(resource, result.problems)
    if (resource.kind.name === 'DataTable' && isSound) checkTable(resource, result.problems)
    if (resource.kind.name === 'ExperienceView') checkBody(resource, result.problems)
    if (resource.kind.name === 'Webhook')
      for (const what of unsupportedIn(resource.value)) count(result.unsupported, what)
    const flowClass = classOf(resource, classes, result.problems)
    if (flowClass !== undefined) checkFlow(resource, flowClass, options, result)
  }
  result.problems.push(...checkCustomNodes(bundle, options))
  checkDuplicates(bundle, result.problems)
  checkRoutes(bundle, result.problems)
  checkReferences(bundle, new Set(declared.keys()), result.problems)
  return result
}

/**
 * Checks one flow. `value` is the flow itself; `pointer` says where in the file it stands. Nothing is said of
 * references: they can point at anything in an application.
 */
export function checkFlow(
  at: { file: string; pointer: string; value: Record<string, unknown> },
  flowClass: FlowClass,
  options: CheckOptions,
  result: CheckResult,
): void {
  const { file, pointer, value } = at
  const flow = nameOf(value)
  result.flows.push({ file, flow })
  const { problems } = compileFlow(value, { flowClass, ...options })
  for (const one of problems) result.problems.push({ ...one, file, flow, pointer: `${pointer}${one.pointer}` })
  for (const type of typesOf(value.nodes)) if (!options.catalog.nodes.has(type)) count(result.unsupported, type)
  for (const what of asksOf(value.nodes)) count(result.unsupported, what)
  for (const type of typesOf(value.triggers)) if (!options.catalog.triggers.has(type)) count(result.unsupported, type)
}

/** The class that a flow says it has; `cloud` when it says nothing. */
export function flowClassOf(value: Record<string, unknown>): FlowClass {
  return flowClasses.find((one) => one === value.flowClass) ?? 'cloud'
}

/** The experience version that a resource belongs to: its own word, else the folder that it lies in. */
export function versionOf(resource: Resource): string {
  const { version } = resource.value
  if (typeof version === 'string' && version !== '') return version
  return /(?:^|\/)experience\/([^/]+)\//.exec(resource.file)?.[1] ?? 'develop'
}

function classOf(resource: Resource, classes: Map<unknown, FlowClass>, problems: Problem[]): FlowClass | undefined {
  const { kind, value, file, pointer } = resource
  if (kind.name === 'Flow') return flowClassOf(value)
  if (kind.name === 'ExperienceFlowVersion') return 'experience'
  if (kind.name !== 'FlowVersion') return undefined
  const flowClass = classes.get(value.flowId)
  if (flowClass === undefined && isReference(value.flowId)) {
    const message = `There is no flow ${value.flowId} that this is a version of`
    problems.push(problem('bundle.missing', file, message, { pointer: pointTo(pointer, 'flowId') }))
  }
  return flowClass
}

/** False when there is an error among its fields. */
function checkFields(resource: Resource, problems: Problem[]): boolean {
  const before = problems.length
  const { kind, value, file, pointer } = resource
  const flow = kind.open ? nameOf(value) : undefined
  shape(kind.fields, kind.required)(value, pointer, (at, message) => {
    problems.push(problem('resource.field', file, message, { pointer: at, flow }))
  })
  if (value.id !== undefined && !isReference(value.id)) {
    const message = `Expected an id like ~exportplaceholderid-${kind.token}-name~, got ${JSON.stringify(value.id)}`
    problems.push(problem('resource.field', file, message, { pointer: pointTo(pointer, 'id'), flow }))
  }
  const isSound = problems.length === before
  if (kind.open) return isSound
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(kind.fields, name) || envelopeFields.includes(name)) continue
    const message = `The field "${name}" of ${kind.name} is not known; it is left out`
    problems.push(problem('resource.unknown', file, message, { pointer: pointTo(pointer, name), severity: 'warning' }))
  }
  return isSound
}

function checkBody(resource: Resource, problems: Problem[]): void {
  const { value, text, pointer } = resource
  const body = text?.content ?? value.body
  if (typeof body !== 'string') return
  if (text && text.content.length > 131_072) {
    problems.push(
      problem('resource.field', text.file, `Expected at most 131072 characters, got ${text.content.length}`),
    )
  }
  const wrong = viewTypes.some((one) => one === value.viewType) && checkView(body, value.viewType as ViewType)
  if (!wrong) return
  // A published application whose view does not parse still imports; the page fails when someone asks for it.
  const severity = wrong.code === 'template.syntax' ? 'warning' : 'error'
  const place = text ? { file: text.file } : { file: resource.file, pointer: pointTo(pointer, 'body') }
  problems.push({ code: wrong.code, message: wrong.message, severity, ...place })
}

const viewTypes = ['page', 'layout', 'component'] as const
type ViewType = (typeof viewTypes)[number]

// What must be there once only: ids, and what the store keeps unique.
function checkDuplicates(bundle: Bundle, problems: Problem[]): void {
  const seen = new Map<string, Resource>()
  for (const resource of bundle.resources) {
    const { value } = resource
    const keys = [uniqueKey(resource)]
    if (isReference(value.id)) keys.push(`id ${value.id}`)
    for (const key of keys) {
      if (key === undefined) continue
      const other = seen.get(key)
      if (other === undefined) seen.set(key, resource)
      else {
        const message = `Expected ${key} once, but it stands in ${other.file} (${other.pointer}) as well`
        problems.push(problem('bundle.duplicate', resource.file, message, { pointer: resource.pointer }))
      }
    }
  }
}

function uniqueKey(resource: Resource): string | undefined {
  const { kind, value } = resource
  if (kind.name === 'Application') return 'a resource of type Application'
  if (kind.name === 'ExperienceUser') return `the user ${fold(String(value.email))}`
  if (kind.name === 'ExperienceView') return `the ${value.viewType} "${value.name}" of version ${versionOf(resource)}`
  if (kind.name === 'ExperienceVersion') return `the experience version "${value.version}"`
  if (kind.name === 'FlowVersion') return `the version "${value.version}" of flow ${value.flowId}`
  if (kind.name === 'ExperienceFlowVersion') return `the version "${versionOf(resource)}" of flow ${value.flowId}`
  return undefined
}

function checkRoutes(bundle: Bundle, problems: Problem[]): void {
  const endpoints = bundle.resources
    .filter(({ kind, value }) => kind.name === 'ExperienceEndpoint' && typeof value.method === 'string')
    .flatMap((resource) => {
      const { method, route } = resource.value
      return typeof route === 'string'
        ? [{ method: String(method), route, version: versionOf(resource), resource }]
        : []
    })
  for (const { route, resource } of endpoints.filter((one) => `${one.route}/`.startsWith(FILES_PREFIX))) {
    const message = `The server itself answers below ${FILES_PREFIX}, so no request reaches ${route}. Choose another route.`
    const pointer = pointTo(resource.pointer, 'route')
    problems.push(problem('route.reserved', resource.file, message, { pointer, severity: 'warning' }))
  }
  for (const version of new Set(endpoints.map((one) => one.version))) {
    for (const { code, message, endpoints: wrong } of routeConflicts(
      endpoints.filter((one) => one.version === version),
    )) {
      const { file, pointer } = wrong.at(-1)!.resource
      problems.push({ code, message, severity: 'error', file, pointer: pointTo(pointer, 'route') })
    }
  }
}

function checkReferences(bundle: Bundle, declared: ReadonlySet<string>, problems: Problem[]): void {
  const told = new Set<string>()
  const visit = (file: string, flow?: string) => (source: string, pointer?: string) => {
    for (const token of placeholdersIn(source)) {
      if (declared.has(token) || isHost(token) || told.has(`${file} ${token}`)) continue
      told.add(`${file} ${token}`)
      const message = `There is nothing in this folder that ${token} stands for`
      problems.push(problem('reference.unresolved', file, message, { pointer, flow, severity: 'warning' }))
    }
  }
  for (const { kind, value, file, pointer, text } of bundle.resources) {
    if (!kind.supported) continue
    const { children: _, ...own } = value
    eachText(own, pointer, visit(file, kind.open ? nameOf(value) : undefined))
    if (text) visit(text.file)(text.content)
  }
  if (bundle.readme) visit(bundle.readme.file)(bundle.readme.content)
}

// They import, and say so to whoever calls them.
function unsupportedIn({ verificationType }: Record<string, unknown>): string[] {
  return verificationType === 'alexa' ? ['Webhook (Alexa)'] : []
}

function typesOf(list: unknown): string[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((one: unknown) => {
    const type = one !== null && typeof one === 'object' ? (one as Record<string, unknown>).type : undefined
    return typeof type === 'string' && type !== '' ? [type] : []
  })
}

/** What known nodes are asked for and do not do: calls of the published API as `LosantApiNode resource.action`, streams. */
function asksOf(list: unknown): string[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((one: unknown) => {
    const { type, config } = (one ?? {}) as { type?: unknown; config?: Record<string, unknown> }
    const { resource, action, replyType } = config ?? {}
    if (type === 'EndpointReplyNode' || type === 'endpoint-reply') {
      return replyType === 'mqtt' ? ['EndpointReplyNode (mqtt)'] : []
    }
    if (type !== 'LosantApiNode' && type !== 'losant-api') return []
    return isAnswered(resource, action) ? [] : [`LosantApiNode ${String(resource)}.${String(action)}`.slice(0, 200)]
  })
}

function nameOf(value: Record<string, unknown>): string {
  return typeof value.name === 'string' ? value.name : String(value.version ?? value.id ?? '')
}

function count(table: Record<string, number>, name: string): void {
  const known = Object.hasOwn(table, name) ? table[name]! : 0
  Object.defineProperty(table, name, { value: known + 1, enumerable: true, writable: true, configurable: true })
}
