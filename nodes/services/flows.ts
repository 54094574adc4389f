import type { Plan } from '../../engine/compile.ts'
import type { InputField } from '../../engine/custom-node.ts'
import type { NodePlace } from '../../engine/node.ts'
import type { Payload } from '../../engine/payload.ts'

/** The published API, on this application alone. */
export interface Api {
  /**
   * The body of the answer. `params` by their published names; text stands for numbers, flags and JSON, too, and unknown ones are
   * left aside. Throws Refusal: NotFound also for calls that are not known, and for any other application.
   */
  call(request: { resource: string; action: string; params: Payload; application?: string }): Promise<unknown>
}

/** A custom node where it stands in a flow: everything that a call of it needs. */
export interface PlacedCustomNode {
  plan: Plan
  entry: readonly number[]
  /** What it asks its callers for. The same list as long as the version is the same. */
  fields: readonly InputField[]
  /** Of its nodes: its storage belongs to this place alone. */
  services: object
  /** The payload that a call begins with: nothing of the caller's is in it but these. */
  start(call: { data: Payload; time: unknown }): Payload
}

export interface CustomNodes {
  /**
   * The version (`default`, `develop` or a name) of a custom node of this application, for the node that calls it. Throws FlowError
   * `custom-node.missing`, or `custom-node.recursion` when that node stands inside it.
   */
  find(wanted: { id: string; version: string; node: NodePlace }): PlacedCustomNode
}

export interface Flows {
  /**
   * Presses a virtual button of a flow of this application, named by its key, `meta.uiId` or `meta.id`, and does not wait for the
   * run. `version`: `default`, `develop` or a name. Without `data` it is what stands at the button. With `dueAt` (milliseconds
   * since the epoch, at most a year from now) it is pressed then, and stays known if the server stops. Throws Refusal: NotFound,
   * Validation, or RateLimit for flows that start each other without an end.
   */
  press(request: {
    flow: string
    button: string
    version: string
    data?: unknown
    dueAt?: number
  }): Promise<{ runId: string }>
  /** Takes back what was to be pressed later. False when it has begun, or is unknown. */
  cancel(runId: string): Promise<boolean>
}
