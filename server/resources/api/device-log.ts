import type { Document } from '../../store/documents/document.ts'
import type { Documents } from '../../store/documents.ts'
import type { AppStore } from '../../store/port.ts'
import { isoOf } from '../listing.ts'
import { anId, type Calls, call, needed, number } from './call.ts'

/** What was sent to a device, and when it was connected. */
export const deviceLog: Calls = {
  getCommand: call({ deviceId: anId, limit: number }, async ({ app }, { deviceId, limit = 1 }) => {
    const found = await newest(app, { of: 'deviceCommands', by: 'time', deviceId: needed(deviceId, 'deviceId'), limit })
    return found.map(({ name, payload, time }) => ({
      ...{ name, time: isoOf(time) },
      ...(payload === undefined ? {} : { payload }),
    }))
  }),
  getLogEntries: call({ deviceId: anId, limit: number }, async ({ app }, { deviceId, limit = 1 }) => {
    const id = needed(deviceId, 'deviceId')
    const sessions = await newest(app, { of: 'deviceSessions', by: 'startedAt', deviceId: id, limit })
    const entries = sessions.flatMap(({ address: ipAddress, startedAt, endedAt, ...session }) => {
      const { disconnectReason, messagesFromClient, messagesToClient } = session
      const end = { disconnectReason, messagesFromClient, messagesToClient, ipAddress }
      const begun = { connected: 1, time: isoOf(startedAt), ipAddress }
      return endedAt === undefined ? [begun] : [{ connected: 0, time: isoOf(endedAt), ...end }, begun]
    })
    return entries.slice(0, mostOf(limit))
  }),
}

async function newest<N extends 'deviceCommands' | 'deviceSessions'>(
  app: AppStore,
  { of, by, deviceId, limit }: { of: N; by: string; deviceId: string; limit: number },
): Promise<(Documents[N] & Document)[]> {
  const filter = { field: 'deviceId', op: 'eq', value: deviceId } as const
  return await app.collection(of).find({ filter, sort: { field: by, direction: 'desc' }, limit: mostOf(limit) })
}

function mostOf(limit: number): number {
  return Math.max(0, Math.min(Math.trunc(limit), 1_000))
}
