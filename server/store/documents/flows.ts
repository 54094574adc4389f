import type { Document } from './document.ts'

/** A flow, and in `content` its develop copy (cloud, custom node) exactly as it was written. */
export interface FlowDocument extends Document {
  name: string
  flowClass: 'cloud' | 'experience' | 'customNode' | 'edge' | 'embedded'
  description?: string
  enabled: boolean
  defaultVersionId?: string
  content: FlowContent
}

/** A named snapshot of a flow, or what the flow is in one experience version (`version` is then that version's name). */
export interface FlowVersionDocument extends Document {
  flowId: string
  version: string
  name?: string
  description?: string
  enabled: boolean
  content: FlowContent
}

/** The published keys: triggers, nodes, globals, customNodeConfig, ... and any other, untouched. */
export interface FlowContent {
  triggers: unknown[]
  nodes: unknown[]
  globals: unknown[]
  [key: string]: unknown
}

/** The record of one run, written after it ended. */
export interface RunDocument extends Document {
  flowId: string
  flowVersion: string
  triggerType: string
  status: 'done' | 'failed'
  milliseconds: number
  visits: unknown[]
  error?: { code: string; name: string; message: string; nodeId?: string; nodeType?: string }
}

/** When a timer trigger fires next. Made, changed and removed as flows say; kept so that one process fires it. */
export interface ScheduleDocument extends Document {
  /** Flow id and trigger key. */
  key: string
  /** The settings of the trigger as JSON: when they change, the schedule starts anew. */
  stamp: string
  nextAt: number
  /** What it runs. Undefined: not known yet, it was written by an older version. */
  fires?: { flowId: string; triggerKey: string; triggerType: string; index: number }
}
