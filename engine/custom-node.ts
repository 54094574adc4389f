import type { BodyNode } from './bodies.ts'
import type { DocumentTrigger, Problem } from './document.ts'
import type { FlowErrorCode } from './errors.ts'
import type { AnyTrigger } from './trigger.ts'

export const inputKinds = [
  'stringTemplate',
  'numberTemplate',
  'jsonTemplate',
  'payloadPath',
  'select',
  'checkbox',
  'section',
] as const
export type InputKind = (typeof inputKinds)[number]

/** An input of a custom node, as its author declared it. */
export interface InputField {
  /** Its key in `data` of a call. */
  id: string
  kind: InputKind
  label: string
  required: boolean
  /** What a call that says nothing gives, in the form of what a call would say. */
  initial: unknown
  /** The words of a `select`. */
  options: readonly string[]
  least?: number
  most?: number
  /** A regular expression that the text of a `stringTemplate` fits. */
  pattern?: string
}

/** What a custom node asks for and gives back. */
export interface CallForm {
  outputs: 1 | 2
  result: 'none' | 'optional' | 'required'
  fields: readonly InputField[]
}

/** A custom node, ready to be called: where its walk begins, and its form. */
export interface PlanCall {
  entry: readonly number[]
  form: CallForm
}

type Report = (code: FlowErrorCode, pointer: string, message: string) => void

const MOST_FIELDS = 100

/** Reads `customNodeConfig` of unknown shape. What cannot be used is reported and left out. */
export function readCallForm(raw: unknown, report: Report): CallForm {
  const pointer = '/customNodeConfig'
  const config = isObject(raw) ? raw : {}
  if (raw !== undefined && raw !== null && !isObject(raw)) {
    report('document.custom-node', pointer, `Expected an object, got ${JSON.stringify(raw)}`)
  }
  const result = config.resultMode
  const given = Array.isArray(config.fields) ? (config.fields as unknown[]) : []
  if (given.length > MOST_FIELDS) {
    report('document.custom-node', `${pointer}/fields`, `Expected at most ${MOST_FIELDS} inputs, got ${given.length}`)
  }
  const ids = new Set<string>()
  const fields = given.slice(0, MOST_FIELDS).flatMap((one, index) => {
    const field = readField(one, (message) => report('document.custom-node', `${pointer}/fields/${index}`, message))
    if (field === undefined) return []
    if (ids.has(field.id) && field.kind !== 'section') {
      report(
        'document.custom-node',
        `${pointer}/fields/${index}/id`,
        `Expected the input "${field.id}" once, got it twice`,
      )
    }
    ids.add(field.id)
    return [field]
  })
  return {
    outputs: Number(config.outputCount) === 2 ? 2 : 1,
    result: result === 'none' || result === 'required' ? result : 'optional',
    fields,
  }
}

/**
 * Reports what keeps a custom node from working: more than one start (an error), none, no end, ends in a loop, or ends that name
 * an output which it does not have (warnings: a call then ends without a result, or leads nowhere).
 */
export function checkCalls(
  flow: {
    triggers: readonly DocumentTrigger[]
    nodes: readonly BodyNode[]
    form: CallForm
    definitionOf(trigger: DocumentTrigger): AnyTrigger | undefined
  },
  problems: Problem[],
): void {
  const { triggers, nodes, form, definitionOf } = flow
  const warn = (pointer: string, message: string, node?: string) =>
    problems.push({ code: 'document.custom-node', pointer, message, severity: 'warning', ...(node ? { node } : {}) })
  const starts = triggers.filter((trigger) => definitionOf(trigger)?.startsCall).length
  if (starts === 0) warn('/triggers', 'Expected a custom node start trigger, got none: calls of this custom node fail')
  if (starts > 1) {
    const message = `Expected one custom node start trigger, got ${starts}`
    problems.push({ code: 'document.custom-node', pointer: '/triggers', message, severity: 'error' })
  }
  let ends = 0
  nodes.forEach(({ document, definition }, index) => {
    if (definition?.endsCall === undefined) return
    ends++
    const { key } = definition.config[definition.endsCall]
    const output = document.config[key] ?? 0
    const known = ['0', ...(form.outputs === 2 ? ['1'] : [])]
    const literal = !String(output).includes('{{')
    if (literal && !known.includes(String(output))) {
      const message = `Expected an output of ${known.join(' or ')}, as this custom node has ${form.outputs}, got ${JSON.stringify(output)}`
      warn(`/nodes/${index}/config/${key}`, message, document.id)
    }
    if (document.meta.groupId)
      warn(`/nodes/${index}/meta/groupId`, 'A custom node cannot end inside a loop', document.id)
  })
  if (ends === 0) warn('/nodes', 'Expected a node that ends this custom node, got none: its callers go no further')
}

function readField(raw: unknown, fail: (message: string) => void): InputField | undefined {
  if (!isObject(raw)) return void fail(`Expected an object, got ${JSON.stringify(raw)}`)
  const kind = inputKinds.find((one) => one === raw.type)
  if (kind === undefined) {
    return void fail(`Expected "type" to be one of ${inputKinds.join(', ')}, got ${JSON.stringify(raw.type)}`)
  }
  const id = typeof raw.id === 'string' ? raw.id : ''
  if ((id === '' && kind !== 'section') || id === '__proto__') {
    return void fail(`Expected "id" to be a name for the payload, got ${JSON.stringify(raw.id)}`)
  }
  const options = Array.isArray(raw.options) ? (raw.options as unknown[]) : []
  return {
    ...{ id, kind, label: typeof raw.label === 'string' ? raw.label : id, required: raw.required === true },
    initial: raw.defaultValue ?? undefined,
    options: options.flatMap((one) => (isObject(one) && one.value !== undefined ? [String(one.value)] : [])),
    ...numbered('least', raw.validMin),
    ...numbered('most', raw.validMax),
    ...(typeof raw.validRegExp === 'string' && raw.validRegExp !== '' ? { pattern: raw.validRegExp } : {}),
  }
}

function numbered(name: 'least' | 'most', raw: unknown): { least?: number; most?: number } {
  const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
  return typeof number === 'number' && Number.isFinite(number) ? { [name]: number } : {}
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
