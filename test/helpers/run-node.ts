import { FlowError } from '../../engine/errors.ts'
import { compileGroup } from '../../engine/fields.ts'
import type { Fields, NodeDefinition, Turn } from '../../engine/node.ts'
import { copyValue, type Payload } from '../../engine/payload.ts'
import { openTemplates } from '../../engine/template.ts'
import type { Services } from '../../nodes/services.ts'

/** A stand-in for each service that the node declares; the methods that a test has no use for may be left out. Default: no credentials. */
export type Fakes<Need extends keyof Services> = { [K in Exclude<Need, 'credentials'>]: Partial<Services[K]> } & {
  credentials?: Services['credentials']
}

export interface NodeRun {
  config?: Record<string, unknown>
  meta?: Record<string, unknown>
  /** Copied before the node gets it. */
  payload?: Payload
  signal?: AbortSignal
  /** Answers each turn of a loop. Default: the turn commits its payload, and names no value for the list. */
  turn?: (output: string, payload: Payload) => Turn
}

export interface NodeOutcome {
  output: string | number | undefined
  payload: Payload
  /** What the run ended with. Errors that are no FlowError are not caught. */
  error: FlowError | undefined
  /** The outputs whose turns were walked. */
  followed: string[]
  /** What is wrong with the settings, found before the run. */
  problems: { code: string; message: string; pointer: string }[]
}

const templates = openTemplates()
const noCredentials: Services['credentials'] = {
  async get(name) {
    throw new FlowError('credential.missing', `Expected the stored credential "${name}", but the test has none`)
  },
}

/** Runs one node as a flow would, without a flow: its settings compiled, its services as the test gives them. */
export async function runNode<Need extends keyof Services, F extends Fields, Output extends string>(
  definition: NodeDefinition<Services, Need, F, Output>,
  given: NodeRun & ([Exclude<Need, 'credentials'>] extends [never] ? { use?: Fakes<Need> } : { use: Fakes<Need> }),
): Promise<NodeOutcome> {
  const problems: NodeOutcome['problems'] = []
  const settings = compileGroup(definition.config, given.config ?? {}, {
    templates,
    pointer: '/config',
    meta: given.meta ?? {},
    metaPointer: '/meta',
    report: (problem) => problems.push(problem),
  })
  const followed: string[] = []
  const context = {
    config: {},
    payload: copyValue(given.payload ?? {}),
    use: { credentials: noCredentials, ...given.use },
    node: { id: 'node-1', type: definition.type, label: definition.title, trail: () => [] },
    signal: given.signal ?? new AbortController().signal,
    async follow(output: string, payload: Payload): Promise<Turn> {
      followed.push(output)
      return given.turn?.(output, payload) ?? { committed: payload, mapped: undefined, last: false }
    },
    leads: () => true,
    halted: () => false,
    alwaysCommits: () => false,
    endTurn: () => undefined,
    call: async () => undefined,
    endCall: () => undefined,
  }
  try {
    context.config = settings(context)
    const answer = await definition.run(context as unknown as Parameters<typeof definition.run>[0])
    const output = answer ?? (definition.outputs.length === 1 ? definition.outputs[0] : undefined)
    return { output, payload: context.payload, error: undefined, followed, problems }
  } catch (error) {
    if (!(error instanceof FlowError)) throw error
    return { output: undefined, payload: context.payload, error, followed, problems }
  }
}
