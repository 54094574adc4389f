const dashboards = 'there are no dashboards here; show state on pages of the experience'
const counted = 'messages are not counted here; see /metrics of the server'
const streams = 'a flow has no use for a stream; let a trigger listen'
const others = 'a flow reaches its own application alone'
const administrators = 'this is for an administrator: use the command line of the server'
const credentials = 'an administrator keeps credentials: use the command line of the server'
const archives = 'history is not archived to other clouds here; use data.export'

/** Why calls that the published API has are not answered here: by resource, for all of its actions (`*`) or some. */
const reasons: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  applicationDashboard: { '*': dashboards },
  applicationDashboards: { '*': dashboards },
  dashboard: { '*': dashboards },
  dashboards: { '*': dashboards },
  notebook: { '*': 'there are no notebooks here' },
  notebooks: { '*': 'there are no notebooks here' },
  applications: { '*': others },
  application: {
    ...{ archiveData: archives, backfillArchiveData: archives },
    ...{ fullDataTablesArchive: archives, fullEventsArchive: archives },
    ...{ applyTemplate: administrators, clone: administrators, delete: administrators },
    ...{ export: administrators, import: administrators, importLogs: administrators, patch: administrators },
    ...{ deviceCounts: counted, payloadCounts: counted, payloadCountsBreakdown: counted },
    notebookMinuteCounts: 'there are no notebooks here',
    mqttPublishMessage: 'use the node that publishes to a topic',
    mqttSubscriptionStream: streams,
    search: 'use the lists of the resources with a filter',
  },
  device: {
    ...{ commandStream: streams, stateStream: streams, payloadCounts: counted, payloadCountsBreakdown: counted },
    removeData: 'history goes with its device, or with the type of an attribute',
  },
  devices: {
    payloadCounts: counted,
    delete: 'remove devices one by one with device.delete, or with a resource job',
    patch: 'change devices one by one with device.patch, or with a resource job',
    removeData: 'history goes with its device, or with the type of an attribute',
    restore: 'a device that is deleted is gone for good',
  },
  credential: { '*': credentials },
  credentials: { '*': credentials },
  deviceRecipe: { bulkCreate: 'use the node that imports devices from CSV' },
  events: { patch: 'change events one by one with event.patch' },
  experienceView: { linkedResources: 'what names a view is found by "headgate check" in an export' },
  experienceEndpoint: { linkedResources: 'what names an endpoint is found by "headgate check" in an export' },
  experienceEndpoints: { stats: counted },
  file: { upload: 'a flow has no multipart body; use the node that writes a file, or files.post' },
  privateFile: { upload: 'a flow has no multipart body; use the node that writes a file, or privateFiles.post' },
  flows: {
    ...{ post: administrators, import: administrators },
    palette: 'use "headgate nodes" of the server',
  },
  flow: { stats: counted },
}

/** What is not answered, as `resource.action` or `resource.*`, and why; in alphabetical order. */
export const refused: readonly (readonly [string, string])[] = Object.entries(reasons)
  .flatMap(([resource, actions]) =>
    Object.entries(actions).map(([action, why]) => [`${resource}.${action}`, why] as const),
  )
  .sort()

/** Why the call is not answered, for its author; undefined where nothing is known of it. */
export function refusals(resource: string, action: string): string | undefined {
  const own = Object.hasOwn(reasons, resource) ? reasons[resource]! : {}
  if (Object.hasOwn(own, action)) return own[action]
  return Object.hasOwn(own, '*') ? own['*'] : undefined
}
