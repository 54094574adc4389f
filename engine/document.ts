import type { FlowErrorCode } from './errors.ts'

/** What is wrong with a flow document, and where. Warnings do not stop an import. */
export interface Problem {
  code: FlowErrorCode
  message: string
  /** Id of the node. */
  node?: string
  /** JSON pointer into the flow. */
  pointer: string
  severity: 'error' | 'warning'
}

export const flowClasses = ['cloud', 'experience', 'customNode', 'edge', 'embedded'] as const
export type FlowClass = (typeof flowClasses)[number]

export interface DocumentTrigger {
  type: string
  key: string
  config: Record<string, unknown>
  meta: Record<string, unknown>
  outputIds: string[][]
}

export interface DocumentNode {
  id: string
  type: string
  config: Record<string, unknown>
  meta: Record<string, unknown>
  outputIds: string[][]
}

/** The part of a flow that runs, in the published format, with every missing piece filled in. */
export interface FlowDocument {
  triggers: DocumentTrigger[]
  nodes: DocumentNode[]
  globals: { key: string; json: string }[]
}

/**
 * Reads a flow of unknown shape. What can be read is in `document`; everything that is wrong is in `problems`, all at
 * once. Wires that lead nowhere are left out of the document and stand in the problems.
 */
export function readDocument(raw: unknown): { document: FlowDocument; problems: Problem[] } {
  const problems: Problem[] = []
  const fail: Fail = (code, pointer, message, node) =>
    problems.push({ code, pointer, message, severity: 'error', ...(node === undefined ? {} : { node }) })
  const root = asObject(raw, '', fail)
  const nodes = asList(root.nodes, '/nodes', fail).map((one, index) => readNode(one, `/nodes/${index}`, fail))
  generateIds(nodes)
  const triggers = asList(root.triggers, '/triggers', fail).map((one, index) =>
    readTrigger(one, `/triggers/${index}`, fail),
  )
  checkWires({ triggers, nodes }, fail)
  return { document: { triggers, nodes, globals: readGlobals(root.globals, fail) }, problems }
}

type Fail = (code: FlowErrorCode, pointer: string, message: string, node?: string) => void

const MOST_NODES = 5_000

function readNode(raw: unknown, pointer: string, fail: Fail): DocumentNode {
  const node = asObject(raw, pointer, fail)
  const id = isMissing(node.id) ? '' : String(node.id)
  return {
    id,
    type: asText(node.type, `${pointer}/type`, fail, id),
    config: isMissing(node.config) ? {} : asObject(node.config, `${pointer}/config`, fail, id),
    meta: isMissing(node.meta) ? {} : asObject(node.meta, `${pointer}/meta`, fail, id),
    outputIds: readOutputs(node.outputIds, `${pointer}/outputIds`, fail, id),
  }
}

// Nothing leads to a node without an id, but messages and traces name it.
function generateIds(nodes: DocumentNode[]): void {
  const taken = new Set(nodes.map(({ id }) => id))
  let next = 0
  for (const node of nodes) {
    if (node.id !== '') continue
    while (taken.has(`generated-${next}`)) next++
    node.id = `generated-${next++}`
  }
}

function readTrigger(raw: unknown, pointer: string, fail: Fail): DocumentTrigger {
  const trigger = asObject(raw, pointer, fail)
  return {
    type: asText(trigger.type, `${pointer}/type`, fail),
    key: isMissing(trigger.key) ? '' : String(trigger.key),
    config: isMissing(trigger.config) ? {} : asObject(trigger.config, `${pointer}/config`, fail),
    meta: isMissing(trigger.meta) ? {} : asObject(trigger.meta, `${pointer}/meta`, fail),
    outputIds: readOutputs(trigger.outputIds, `${pointer}/outputIds`, fail),
  }
}

function readOutputs(raw: unknown, pointer: string, fail: Fail, node?: string): string[][] {
  return asList(raw, pointer, fail, node).map((output, index) => {
    const ids = output === null ? [] : Array.isArray(output) ? output : undefined
    if (ids === undefined) {
      fail('document.type', `${pointer}/${index}`, `Expected a list of node ids, got ${show(output)}`, node)
      return []
    }
    return ids.map(String)
  })
}

function readGlobals(raw: unknown, fail: Fail): { key: string; json: string }[] {
  const globals = asList(raw, '/globals', fail)
  if (globals.length > 100) fail('document.globals', '/globals', `Expected at most 100 globals, got ${globals.length}`)
  return globals.flatMap((one, index) => {
    const pointer = `/globals/${index}`
    const { key, json } = asObject(one, pointer, fail)
    if (typeof key !== 'string' || !/^[0-9a-zA-Z_-]{1,255}$/.test(key) || key === '__proto__') {
      fail('document.globals', pointer, `Expected a key of letters, digits, _ and -, got ${show(key)}`)
      return []
    }
    if (typeof json !== 'string' || !isJson(json)) {
      fail('document.globals', `${pointer}/json`, `Expected the global "${key}" to hold JSON text, got ${show(json)}`)
      return []
    }
    return [{ key, json }]
  })
}

// Drops what leads nowhere, so that what is left can be compiled without another look.
function checkWires(flow: Pick<FlowDocument, 'triggers' | 'nodes'>, fail: Fail): void {
  const ids = new Set<string>()
  flow.nodes.forEach((node, index) => {
    if (ids.has(node.id))
      fail('document.id', `/nodes/${index}/id`, `Node ids must be unique: "${node.id}" occurs twice`, node.id)
    ids.add(node.id)
  })
  const check = (outputs: string[][], pointer: string, self?: string) =>
    outputs.map((targets, output) =>
      targets.filter((target, index) => {
        const at = `${pointer}/outputIds/${output}/${index}`
        if (!ids.has(target)) {
          fail('document.wire', at, `Output ${output} leads to the node "${target}", which does not exist`, self)
          return false
        }
        if (target === self) fail('document.wire', at, 'A node cannot be connected to itself', self)
        return target !== self
      }),
    )
  flow.nodes.forEach((node, index) => {
    node.outputIds = check(node.outputIds, `/nodes/${index}`, node.id)
  })
  flow.triggers.forEach((trigger, index) => {
    trigger.outputIds = check(trigger.outputIds, `/triggers/${index}`)
  })
}

function asObject(raw: unknown, pointer: string, fail: Fail, node?: string): Record<string, unknown> {
  if (raw !== null && typeof raw === 'object' && !Array.isArray(raw)) return raw as Record<string, unknown>
  fail('document.type', pointer, `Expected an object, got ${show(raw)}`, node)
  return {}
}

function asList(raw: unknown, pointer: string, fail: Fail, node?: string): unknown[] {
  if (raw === undefined || raw === null) return []
  if (Array.isArray(raw) && raw.length <= MOST_NODES) return raw
  const got = Array.isArray(raw) ? `${raw.length} entries` : show(raw)
  fail('document.type', pointer, `Expected a list of at most ${MOST_NODES} entries, got ${got}`, node)
  return []
}

function asText(raw: unknown, pointer: string, fail: Fail, node?: string): string {
  if (typeof raw === 'string' && raw !== '') return raw
  fail('document.type', pointer, `Expected a type name, got ${show(raw)}`, node)
  return ''
}

// Exports of some ages say null where others say nothing.
function isMissing(raw: unknown): raw is null | undefined {
  return raw === undefined || raw === null
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Not JSON is the answer that was asked for.
    return false
  }
}

function show(raw: unknown): string {
  return (JSON.stringify(raw) ?? 'nothing').slice(0, 100)
}
