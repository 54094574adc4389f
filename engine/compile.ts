import { type BodyNode, checkBodies, committingOutputs, outputCount } from './bodies.ts'
import { checkCalls, type PlanCall, readCallForm } from './custom-node.ts'
import {
  type DocumentNode,
  type DocumentTrigger,
  type FlowClass,
  type FlowDocument,
  type Problem,
  readDocument,
} from './document.ts'
import { FlowError, type FlowErrorCode } from './errors.ts'
import { type FieldScope, mostCompileWork } from './field.ts'
import { compileGroup, type Setting } from './fields.ts'
import type { AnyNode, NodePlace } from './node.ts'
import type { Payload } from './payload.ts'
import type { Templates } from './template.ts'
import type { AnyTrigger } from './trigger.ts'

/** The node and trigger types that flows may use, by type and by every alias. */
export interface Catalog {
  nodes: ReadonlyMap<string, AnyNode>
  triggers: ReadonlyMap<string, AnyTrigger>
}

export interface PlanNode {
  place: NodePlace
  /** Undefined for a type that is not supported: a run that reaches it fails. */
  definition: AnyNode | undefined
  settings: Setting<Record<string, unknown>>
  /** For each output the indexes of the nodes that follow. */
  outputs: readonly (readonly number[])[]
  /** Outputs whose body commits every turn on every way, without a fork. */
  committing: ReadonlySet<string>
}

export interface PlanTrigger {
  /** The project's word for the type; the published name is in `published`. */
  type: string
  published: string
  key: string
  config: Record<string, unknown>
  meta: Record<string, unknown>
  entry: readonly number[]
}

/** A flow version, ready to run: wires are indexes, settings are closures. Immutable and free of I/O. */
export interface Plan {
  triggers: readonly PlanTrigger[]
  nodes: readonly PlanNode[]
  globals: Payload
  /** Custom nodes only: what a call of it needs. Undefined: it has no start. */
  call?: PlanCall
}

export function catalogOf(lists: { nodes: readonly AnyNode[]; triggers: readonly AnyTrigger[] }): Catalog {
  const byName = <T extends { type: string; aliases: readonly string[] }>(definitions: readonly T[]) =>
    new Map(definitions.flatMap((one) => [one.type, ...one.aliases].map((name) => [name, one] as const)))
  return { nodes: byName(lists.nodes), triggers: byName(lists.triggers) }
}

/**
 * Compiles a flow of unknown shape. Never throws for what its author wrote: problems are listed all at once, and a run
 * of the plan that reaches one of them fails there with the same words.
 */
export function compileFlow(
  raw: unknown,
  options: { flowClass: FlowClass; catalog: Catalog; templates: Templates },
): { plan: Plan; problems: Problem[] } {
  const { document, problems } = readDocument(raw)
  if (options.flowClass === 'edge' || options.flowClass === 'embedded') {
    problems.push({
      code: 'document.class',
      message: `Flows of class ${options.flowClass} are kept but not run here`,
      pointer: '/flowClass',
      severity: 'warning',
    })
    return { plan: { triggers: [], nodes: [], globals: {} }, problems }
  }
  const work = { left: mostCompileWork }
  const indexes = new Map(document.nodes.map((node, index) => [node.id, index]))
  const wires = (outputIds: string[][]) => outputIds.map((ids) => ids.map((id) => indexes.get(id)!))
  const parts = document.nodes.map((node, index) => compileNode(node, index, { ...options, work }, problems))
  const outputs = new Map(document.nodes.map((node) => [node, wires(node.outputIds)]))
  const bodyNodes = document.nodes.map((node, index) => ({ document: node, definition: parts[index]!.definition }))
  const wiresOf = (node: BodyNode) => outputs.get(node.document)!
  checkBodies(document, bodyNodes, problems)
  const nodes = parts.map((part, index) => ({
    ...part,
    outputs: wiresOf(bodyNodes[index]!),
    committing: committingOutputs(bodyNodes[index]!, bodyNodes, wiresOf),
  }))
  const triggers = compileTriggers(document, { ...options, work }, problems).map((trigger, index) => ({
    ...trigger,
    entry: wires(document.triggers[index]!.outputIds).flat(),
  }))
  const plan: Plan = { triggers, nodes, globals: globalsOf(document.globals) }
  if (options.flowClass === 'customNode')
    plan.call = compileCall(raw, { document, triggers, bodyNodes, options, problems })
  return { plan, problems }
}

/** Globals as the payload shows them: key to parsed JSON. */
export function globalsOf(globals: readonly { key: string; json: string }[]): Payload {
  return Object.fromEntries(globals.map(({ key, json }) => [key, JSON.parse(json) as unknown]))
}

type Options = Parameters<typeof compileFlow>[1] & Pick<FieldScope, 'work'>
type Part = Pick<PlanNode, 'place' | 'definition' | 'settings'>

function compileNode(node: DocumentNode, index: number, options: Options, problems: Problem[]): Part {
  const pointer = `/nodes/${index}`
  const report = (code: FlowErrorCode, at: string, message: string, severity: Problem['severity'] = 'error') =>
    problems.push({ code, message, node: node.id, pointer: at, severity })
  const label = typeof node.meta.label === 'string' ? node.meta.label : node.type
  const place = { id: node.id, type: node.type, label }
  const definition = options.catalog.nodes.get(node.type)
  if (!definition) {
    if (node.type !== '') {
      report('node.unknown', `${pointer}/type`, `The node type "${node.type}" is not supported`, 'warning')
    }
    return { place, definition, settings: () => ({}) }
  }
  if (definition.notIn?.includes(options.flowClass)) {
    report('document.class', `${pointer}/type`, `${node.type} cannot be used in ${options.flowClass} flows`)
  }
  const most = outputCount(definition, node)
  if (node.outputIds.slice(most).some((ids) => ids.length > 0)) {
    report('document.outputs', `${pointer}/outputIds`, `Expected at most ${most} outputs, got ${node.outputIds.length}`)
  }
  const settings = compileGroup(definition.config, node.config, {
    templates: options.templates,
    work: options.work,
    pointer: `${pointer}/config`,
    meta: node.meta,
    metaPointer: `${pointer}/meta`,
    report: (problem) => report(problem.code, problem.pointer, problem.message, severityOf(problem.code)),
  })
  return { place, definition, settings }
}

function compileCall(
  raw: unknown,
  flow: {
    document: FlowDocument
    triggers: readonly PlanTrigger[]
    bodyNodes: readonly BodyNode[]
    options: Options
    problems: Problem[]
  },
): PlanCall | undefined {
  const { document, bodyNodes, options, problems } = flow
  const form = readCallForm(
    (raw as { customNodeConfig?: unknown } | null)?.customNodeConfig,
    (code, pointer, message) => problems.push({ code, pointer, message, severity: 'warning' }),
  )
  const definitionOf = (trigger: DocumentTrigger) => options.catalog.triggers.get(trigger.type)
  checkCalls({ triggers: document.triggers, nodes: bodyNodes, form, definitionOf }, problems)
  const start = document.triggers.findIndex((trigger) => definitionOf(trigger)?.startsCall)
  return start < 0 ? undefined : { form, entry: flow.triggers[start]!.entry }
}

function compileTriggers(document: FlowDocument, options: Options, problems: Problem[]): Omit<PlanTrigger, 'entry'>[] {
  const keys = new Set<string>()
  return document.triggers.map((trigger, index) => {
    const pointer = `/triggers/${index}`
    const report = (code: FlowErrorCode, at: string, message: string, severity: Problem['severity'] = 'error') =>
      problems.push({ code, message, pointer: at, severity })
    const { meta, type: published } = trigger
    const definition = options.catalog.triggers.get(trigger.type)
    const key = definition?.ownKey ? ownKeyOf(trigger, index, keys) : trigger.key
    if (!definition) {
      if (trigger.type !== '') {
        report('node.unknown', `${pointer}/type`, `The trigger type "${trigger.type}" is not supported`, 'warning')
      }
      return { type: published, published, key, meta, config: {} }
    }
    let sound = definition.classes.includes(options.flowClass)
    if (!sound) report('document.class', `${pointer}/type`, `${published} cannot start ${options.flowClass} flows`)
    const settings = compileGroup(definition.config, trigger.config, {
      templates: options.templates,
      work: options.work,
      pointer: `${pointer}/config`,
      meta,
      metaPointer: `${pointer}/meta`,
      report(problem) {
        sound = false
        report(problem.code, problem.pointer, problem.message, severityOf(problem.code))
      },
    })
    if (!sound) return { type: '', published, key, meta, config: {} }
    try {
      const config = settings({ payload: {} })
      const wrong = definition.check?.(config)
      if (wrong !== undefined) throw new FlowError('config.type', wrong)
      return { type: definition.type, published, key, meta, config }
    } catch (error) {
      if (!(error instanceof FlowError)) throw error
      report(error.code, `${pointer}/config`, error.message, severityOf(error.code))
      return { type: '', published, key, meta, config: {} }
    }
  })
}

// One that has no key, or the key of another, gets one of its own.
function ownKeyOf({ key, type }: DocumentTrigger, index: number, keys: Set<string>): string {
  const own = key === '' || keys.has(key) ? `${key || type}-${index}` : key
  keys.add(own)
  return own
}

// A published application still imports with a template that does not parse, or a word that is not known here, as it does
// with a type that is not: the node fails when a run reaches it.
const warnings: ReadonlySet<FlowErrorCode> = new Set([
  'config.choice',
  'expression.syntax',
  'function.syntax',
  'template.not-json',
  'template.syntax',
])

function severityOf(code: FlowErrorCode): Problem['severity'] {
  return warnings.has(code) ? 'warning' : 'error'
}
