import type { Plan } from './compile.ts'
import type { Field, Resolved } from './fields.ts'
import type { Payload } from './payload.ts'

/** Where in a flow a run is: enough to name a place in a log line, an error or a debug message. */
export interface NodePlace {
  id: string
  type: string
  label: string
}

/** One visit of a node, as the trace keeps it. Times are milliseconds; `startedMs` counts from the start of the run. */
export interface Visit {
  node: string
  /** Index of the output taken; undefined when the branch ended or failed here. */
  output: number | undefined
  startedMs: number
  milliseconds: number
  /** In a custom node: the ids of the nodes that called it, outermost first. */
  inside?: readonly string[]
}

/** The node that runs now, and the way that led to it. */
export interface VisitPlace extends NodePlace {
  /** The visits of this branch, from the trigger to the node before this one; at most the last 1,000. */
  trail(): Visit[]
}

/** One turn of a loop, as its body left it. */
export interface Turn {
  /** The payload of the first cap reached; undefined when none was. */
  committed: Payload | undefined
  /** The value that the cap named for the loop's mapped list; undefined when it named no place. */
  mapped: { value: unknown } | undefined
  /** True when the cap asks for no further turns. */
  last: boolean
}

/** Another plan that a node walks as a part of its run: a custom node, on a payload of its own. */
export interface CallTarget {
  /** What errors name it by: the id of its flow. */
  id: string
  plan: Plan
  entry: readonly number[]
  payload: Payload
  /** Given to its nodes, as those of a run are. */
  services: object
}

/** How a call ended: the output that its caller takes, and the value that it gives back. */
export interface CallEnd {
  output: number
  value: unknown
}

/**
 * What `run` of a node gets: its settings, ready to use, and the services that it declared in `needs`. Its methods are called on
 * it: taken out of it they do not work.
 */
export interface NodeContext<Settings, Use> {
  config: Settings
  /** The payload of this branch. Write into it, or put another object here to replace it. */
  payload: Payload
  use: Use
  node: VisitPlace
  /** Aborts when the run is over: out of time, or halted by a failure in another branch. */
  signal: AbortSignal
  /** Walks what hangs on an output as one turn of a loop, on the given payload, to its end. */
  follow(output: string, payload: Payload): Promise<Turn>
  /** True when the output leads somewhere. */
  leads(output: string): boolean
  /** True when this branch goes no further: the run is over, or another branch of the same turn has failed. */
  halted(): boolean
  /** True when every way through this output ends in a cap and none forks: a turn then needs no copy of the payload. */
  alwaysCommits(output: string): boolean
  /** Ends the turn of the enclosing loop `loopId`. Only the first call of a turn counts. */
  endTurn(loopId: string, turn: Omit<Turn, 'committed'>): void
  /**
   * Walks another plan within the limits of this run, until a node of it ends the call; undefined when none did. Throws
   * `limit.depth`. A failure in it is one of the node that called.
   */
  call(target: CallTarget): Promise<CallEnd | undefined>
  /** Ends the call that this plan is walked for. Only the first one counts; without a call it does nothing. */
  endCall(end: CallEnd): void
}

/** An example that the editor shows and the tests run: settings and payload in, output and payload out. */
export interface NodeExample {
  title: string
  config: Record<string, unknown>
  payload: Payload
  output?: string
  result?: Payload
  /** The code of the error that it ends with instead. */
  error?: string
}

export type Fields = Record<string, Field<unknown>>

/**
 * A node type: words, settings, behaviour. Its JSON (functions fall away) is what forms and schemas are made from.
 * `run` returns the output to take: its name, its index where `outputs` grow with the settings, or nothing where
 * there is one output (where there are several, nothing ends the branch). It throws a FlowError for what the author can mend.
 */
export interface NodeDefinition<All, Need extends keyof All, F extends Fields, Output extends string> {
  type: string
  /** The published type names that mean this node. */
  aliases: readonly string[]
  group: NodeGroup
  title: string
  /** One sentence with a verb. */
  summary: string
  /** Position = index in `outputIds`. Empty: the node ends its branch. */
  outputs: readonly Output[]
  /** The name of a list setting: there is one more output for each of its entries, after those in `outputs`. */
  outputPerEntryOf?: keyof F & string
  /** Outputs that lead into the body of a loop, followed by `context.follow`. */
  bodies?: readonly Output[]
  /** The name of the setting that holds the id of a loop: the node ends a turn of it. */
  endsTurnOf?: keyof F & string
  /** The name of the setting that holds the output of the caller: the node ends the custom node that it stands in. */
  endsCall?: keyof F & string
  /** Flow classes that may not use it. */
  notIn?: readonly string[]
  needs: readonly Need[]
  config: F
  examples: readonly NodeExample[]
  run(
    context: NodeContext<Resolved<F>, Pick<All, Need>>,
  ): Output | number | undefined | void | Promise<Output | number | undefined | void>
}

export type NodeGroup = 'logic' | 'data' | 'device' | 'experience' | 'output' | 'network' | 'debug'

// biome-ignore lint/suspicious/noExplicitAny: a list of nodes holds definitions of every shape.
export type AnyNode = NodeDefinition<any, any, any, any>

/** Gives `defineNode` for a set of services: it infers settings, outputs and services of each node from its own words. */
export function nodeDefiner<All>() {
  return <const Need extends keyof All, F extends Fields, const Output extends string>(
    definition: NodeDefinition<All, Need, F, Output>,
  ): NodeDefinition<All, Need, F, Output> => definition
}
