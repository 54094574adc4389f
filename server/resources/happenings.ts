import type { Payload } from '../../engine/payload.ts'
import type { TableRow } from '../../nodes/services/data-tables.ts'
import type { EventView } from '../../nodes/services/events.ts'
import type { FileView } from '../../nodes/services/files.ts'
import type { DeviceDocument } from '../store/documents/devices.ts'
import type { StatePoint } from '../store/port.ts'

/** Who does something to the devices and events of an application. */
export interface Actor {
  type: 'flow' | 'user' | 'device' | 'apiToken' | 'experienceUser' | 'public'
  id: string
  name?: string
  /** How many runs that something which happened started lie between the first cause and this; 0 for the first. */
  depth: number
}

/** Who it is where nobody has said. */
export const anyone: Actor = { type: 'public', id: '0'.repeat(24), depth: 0 }

/** What flows may listen to, beside requests and timers. */
export type Happening =
  /** What could be stored of the reports of one call for one device, in their order. `batch`: there were several. */
  | { kind: 'state'; device: DeviceDocument; points: readonly StatePoint[]; batch: boolean }
  /** A report of which nothing could be stored. `original`: as it came. */
  | { kind: 'invalid-state'; device: DeviceDocument; original: unknown; time: number }
  /** An event was made or updated; as it is now. */
  | { kind: 'event'; event: EventView }
  | { kind: 'device-create'; device: DeviceDocument }
  | FileHappening
  /** A device has connected, or its connection has ended. `data`: what flows get of it. */
  | { kind: 'connect' | 'disconnect'; device: DeviceDocument; time: number; data: Payload }
  /** A message on a topic of the application's own. */
  | { kind: 'message'; topic: string; message: string; time: number }
  | { kind: 'table'; tableId: string; change: TableChange }

/** What was done to the rows of a table by one call; of many removed ones there is a happening for each thousand. */
export type TableChange =
  | { action: 'insert'; newRow: TableRow }
  | { action: 'bulkInsert'; count: number; errorCount: number; rowIds: string[] }
  | { action: 'update'; newRow: TableRow; oldRow: TableRow }
  | { action: 'delete'; oldRows: TableRow[] }

/** What was done to a file; `file`: as it is now, or was. */
export interface FileHappening {
  kind: 'file'
  action: 'create' | 'update' | 'delete'
  file: FileView
}

/** Told of what has happened after it is stored. Never rejects: what is stored stays acknowledged. */
export type Happened = (happening: Happening, by: Actor) => Promise<void>
