import type { EventView } from '../../nodes/services/events.ts'
import type { DeviceDocument, EventDocument, EventUpdate } from '../store/documents/devices.ts'
import type { AppStore } from '../store/port.ts'
import { chunks } from '../tenancy/batch.ts'
import { isoOf } from './listing.ts'

/** Events as flows see them, in the given order, with the present names of their devices. Those are read in one go. */
export async function toEventViews(app: AppStore, events: readonly EventDocument[]): Promise<EventView[]> {
  const ids = [...new Set(events.flatMap(({ deviceId }) => (deviceId === undefined ? [] : [deviceId])))]
  const devices = new Map<string, DeviceDocument>()
  for (const part of chunks(ids, 1_000)) {
    for (const device of await app.collection('devices').getMany(part)) devices.set(device.id, device)
  }
  return events.map((event) => toView(event, app.scope.application, devices.get(event.deviceId ?? '')?.name))
}

function toView(event: EventDocument, applicationId: string, deviceName: string | undefined): EventView {
  const { id, level, state, subject, message, deviceId, data, sourceType, sourceId, sourceName } = event
  return {
    id,
    eventId: id,
    applicationId,
    level,
    state,
    subject,
    ...(message === undefined ? {} : { message }),
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(deviceName === undefined ? {} : { deviceName }),
    ...(data === undefined ? {} : { data }),
    eventTags: { ...event.eventTags },
    sourceType,
    sourceId,
    ...(sourceName === undefined ? {} : { sourceName }),
    creationDate: isoOf(event.creationDate),
    lastUpdated: isoOf(event.lastUpdated),
    updates: event.updates.map(toUpdate),
  }
}

function toUpdate({ creationDate, ...update }: EventUpdate) {
  return { creationDate: isoOf(creationDate), ...update }
}
