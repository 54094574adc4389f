import { type CallForm, readCallForm } from '../../engine/custom-node.ts'
import type { FlowErrorCode } from '../../engine/errors.ts'
import { compileInputs } from '../../nodes/logic/custom-node-inputs.ts'
import type { CheckOptions } from './check.ts'
import { type Problem, pointTo } from './problem.ts'
import type { Bundle, Resource } from './read.ts'

const TYPE = 'custom-node'

/** A node that calls a custom node. */
interface Call {
  flow: Resource
  node: Record<string, unknown>
  /** Of the node. */
  pointer: string
  config: Record<string, unknown>
  id: string
}

/**
 * Checks the places of an application where custom nodes stand: that there is one of that version, that its inputs fit, and that none
 * calls itself. Only the last is an error: a flow with another fault still imports, and fails when a run reaches it.
 */
export function checkCustomNodes(bundle: Bundle, options: CheckOptions): Problem[] {
  const custom = customNodesIn(bundle)
  const calls = bundle.resources.flatMap((resource) => callsIn(resource, options))
  const declared = new Set(bundle.resources.map(({ value }) => value.id))
  const problems: Problem[] = []
  for (const call of calls) {
    const report: Report = (code, pointer, message, severity = 'warning') =>
      problems.push({ ...placeOf(call), code, message, severity, pointer })
    const versions = custom.get(call.id)
    if (!versions) {
      // A placeholder that stands for nothing is reported with all others.
      if (call.id.startsWith('~') && !declared.has(call.id)) continue
      const message = `Expected a custom node of this application, got ${JSON.stringify(call.id)}`
      report('custom-node.missing', `${call.pointer}/config/customNodeId`, message)
      continue
    }
    const version = String(call.config.customNodeVersion ?? '').trim() || 'default'
    const form = versions.get(version === 'default' ? 'develop' : version)
    if (form) checkCall(call, form, options, report)
    else {
      const message = `Expected default or one of ${[...versions.keys()].join(', ')}, got ${JSON.stringify(version)}`
      report('custom-node.missing', `${call.pointer}/config/customNodeVersion`, message)
    }
  }
  const inCircle = circlesIn(calls)
  for (const call of calls.filter(inCircle)) {
    const message = 'A custom node cannot call itself, directly or through others'
    const pointer = `${call.pointer}/config/customNodeId`
    problems.push({ ...placeOf(call), code: 'custom-node.recursion', message, severity: 'error', pointer })
  }
  return problems
}

type Report = (code: FlowErrorCode, pointer: string, message: string, severity?: Problem['severity']) => void

/** Id of the flow to the forms of its versions, by their names. */
function customNodesIn(bundle: Bundle): Map<string, Map<string, CallForm>> {
  const found = new Map<string, Map<string, CallForm>>()
  const formOf = ({ value }: Resource) => readCallForm(value.customNodeConfig, () => undefined)
  for (const resource of bundle.resources) {
    const { kind, value } = resource
    if (kind.name !== 'Flow' || value.flowClass !== 'customNode') continue
    found.set(String(value.id), new Map([['develop', formOf(resource)]]))
  }
  for (const resource of bundle.resources) {
    if (resource.kind.name !== 'FlowVersion') continue
    found.get(String(resource.value.flowId))?.set(String(resource.value.version), formOf(resource))
  }
  return found
}

function callsIn(flow: Resource, { catalog }: CheckOptions): Call[] {
  const { kind, value } = flow
  if (!kind.open || !kind.supported || !Array.isArray(value.nodes)) return []
  return value.nodes.flatMap((node: unknown, index): Call[] => {
    if (!isObject(node) || catalog.nodes.get(String(node.type))?.type !== TYPE) return []
    const config = isObject(node.config) ? node.config : {}
    const pointer = pointTo(pointTo(flow.pointer, 'nodes'), index)
    return [{ flow, node, pointer, config, id: String(config.customNodeId ?? '') }]
  })
}

function checkCall({ config, node, pointer }: Call, form: CallForm, options: CheckOptions, report: Report): void {
  compileInputs(config.fields, form.fields, {
    templates: options.templates,
    siblings: config,
    pointer: `${pointer}/config/fields`,
    report: (one) => report(one.code, one.pointer, one.message),
  })
  if (form.result === 'required' && String(config.resultPath ?? '').trim() === '') {
    report(
      'config.missing',
      `${pointer}/config/resultPath`,
      'Expected a path for the result of this custom node, got nothing',
    )
  }
  const outputs = Array.isArray(node.outputIds) ? (node.outputIds as unknown[]) : []
  const used = outputs.slice(form.outputs).some((ids) => Array.isArray(ids) && ids.length > 0)
  if (used)
    report(
      'document.outputs',
      `${pointer}/outputIds`,
      `This custom node has ${form.outputs} output, and takes no other`,
    )
}

/** Whether a call leads back to the custom node that it stands in. */
function circlesIn(calls: readonly Call[]): (call: Call) => boolean {
  const called = new Map<string, Set<string>>()
  for (const { flow, id } of calls) called.set(ownerOf(flow), (called.get(ownerOf(flow)) ?? new Set()).add(id))
  const leadsBack = (from: string, wanted: string) => {
    const seen = new Set([from])
    // A set grows while it is walked: what is found is looked at in turn.
    for (const id of seen) for (const next of called.get(id) ?? []) seen.add(next)
    return seen.has(wanted)
  }
  const known = new Map<string, boolean>()
  return ({ flow, id }) => {
    const key = `${ownerOf(flow)} ${id}`
    const found = known.get(key) ?? leadsBack(id, ownerOf(flow))
    known.set(key, found)
    return found
  }
}

/** The id of the flow that a resource is, or is a version of. */
function ownerOf({ kind, value }: Resource): string {
  return String(kind.name === 'Flow' ? value.id : value.flowId)
}

function placeOf({ flow: { file, value }, node }: Call): Pick<Problem, 'file' | 'flow' | 'node'> {
  const flow = typeof value.name === 'string' ? value.name : String(value.version ?? '')
  return { file, flow, ...(typeof node.id === 'string' ? { node: node.id } : {}) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
