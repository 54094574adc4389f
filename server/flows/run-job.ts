import { copyValue, type Payload } from '../../engine/payload.ts'
import type { JobDefinition } from '../jobs/port.ts'
import type { Relay } from './payload.ts'
import type { Runner } from './runner.ts'

/** The input of a job of kind `run`: one run, begun by one trigger of a flow. All of it is JSON. */
export interface RunJobInput {
  flowId: string
  triggerKey: string
  /** The published name of the trigger's type, and where it stands in the flow: several may share a key. */
  triggerType: string
  index: number
  /** Default the one that runs. */
  version?: string
  triggerId: string
  /** Milliseconds since the epoch. */
  time: number
  data: unknown
  relay: Relay
  /** How many runs that something which happened started lie before this one. */
  depth: number
  /** Its tags and attributes as objects. Becomes the roots `device`, `deviceName` and `deviceTags`. */
  device?: Payload
  /** Further roots of the payload: `meta`, `original`. */
  roots?: Payload
}

/**
 * Runs flows from the queue. A run whose process died is run again, three times at most; one that failed is done, since the
 * failure is the flow's own and is recorded as ever. A flow or trigger that is gone or disabled by then is no failure.
 */
export function runJob(runner: Pick<Runner, 'fireTrigger'>): JobDefinition {
  return {
    kind: 'run',
    mostAttempts: 3,
    async run({ app, input, signal }) {
      const { time, device, roots, ...job } = input as RunJobInput
      const context = device && { device, deviceName: device.name, deviceTags: copyValue(device.tags) }
      const start = { ...job, time: new Date(time), roots: { ...roots, ...context }, signal }
      const outcome = await runner.fireTrigger(app.scope, job, start)
      // What was broken off is not over: another worker begins it anew.
      if (outcome?.status === 'failed') signal.throwIfAborted()
      return { output: { status: outcome?.status ?? 'skipped' } }
    },
  }
}
