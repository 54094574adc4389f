import { FlowError } from '../../../engine/errors.ts'
import type { Api } from '../../../nodes/services/flows.ts'
import { Refusal } from '../../../nodes/services/listing.ts'
import { application } from './application.ts'
import type { ApiWorld, Calls } from './call.ts'
import { deviceCommand, devicesCommand } from './commands.ts'
import { dashboards } from './dashboards.ts'
import { data } from './data.ts'
import { dataTable, dataTableRow, dataTableRows, dataTables } from './data-tables.ts'
import { deviceAttribute, deviceAttributes } from './device-attributes.ts'
import { deviceLog } from './device-log.ts'
import { deviceNames } from './device-names.ts'
import { device, devices } from './devices.ts'
import { experienceEndpoint, experienceEndpoints } from './endpoints.ts'
import { event, events } from './events.ts'
import { experienceGroup, experienceGroups, experienceUser, experienceUsers } from './experience.ts'
import { dataExport, deviceExport, devicesExport, eventsExport, rowsExport } from './exports.ts'
import { file, files, privateFile, privateFiles } from './files.ts'
import { flow, flows } from './flows.ts'
import { applicationJobLog, applicationJobLogs } from './job-logs.ts'
import { applicationKey, applicationKeys } from './keys.ts'
import { deviceRecipe, deviceRecipes } from './recipes.ts'
import { refusals } from './refusals.ts'
import { resourceJob, resourceJobs } from './resource-jobs.ts'
import { experienceVersion, experienceVersions } from './versions.ts'
import { experienceView, experienceViews } from './views.ts'
import { webhook, webhooks } from './webhooks.ts'

/** Every call that is answered here: resource, then action, by their published names. */
const resources: Readonly<Record<string, Calls>> = {
  ...{ application, applicationKey, applicationKeys, data: { ...data, ...dataExport } },
  devices: { ...devices, ...deviceNames, ...devicesCommand, ...devicesExport },
  device: { ...device, ...deviceLog, ...deviceCommand, ...deviceExport },
  ...{ deviceAttribute, deviceAttributes, deviceRecipe, deviceRecipes },
  ...{ event, events: { ...events, ...eventsExport } },
  ...{ dataTable, dataTables, dataTableRow, dataTableRows: { ...dataTableRows, ...rowsExport } },
  ...{ experienceGroup, experienceGroups, experienceUser, experienceUsers },
  ...{
    experienceEndpoint,
    experienceEndpoints,
    experienceVersion,
    experienceVersions,
    experienceView,
    experienceViews,
  },
  ...{ file, files, privateFile, privateFiles },
  ...{ applicationJobLog, applicationJobLogs, resourceJob, resourceJobs },
  ...{ flow, flows, webhook, webhooks, applicationDashboards: dashboards },
}

/** True when this call is answered here. */
export function isAnswered(resource: unknown, action: unknown): boolean {
  return callOf(String(resource), String(action)) !== undefined
}

/** The calls that are answered, as `resource.action`, in alphabetical order. */
export const answered: readonly string[] = Object.entries(resources)
  .flatMap(([resource, calls]) => Object.keys(calls).map((action) => `${resource}.${action}`))
  .sort()

/** The published API for the flows of one application. */
export function openApi(world: ApiWorld): Api {
  return {
    async call({ resource, action, params, application: wanted = '' }) {
      const own = world.app.scope.application
      const asked = [wanted, Object.hasOwn(params, 'applicationId') ? String(params.applicationId) : '']
      if (asked.some((one) => one !== '' && one.toLowerCase() !== own)) {
        throw new Refusal('NotFound', 'Application was not found')
      }
      const run = callOf(resource, action)
      if (run === undefined) {
        const why = refusals(resource, action)
        const named = `unsupported API call: ${resource.slice(0, 80)}.${action.slice(0, 80)}`
        throw new Refusal('NotFound', why === undefined ? named : `${named}: ${why}`)
      }
      try {
        return await run(world, params)
      } catch (error) {
        // What the author of another node could mend is here a call that cannot be answered.
        if (error instanceof FlowError) throw new Refusal('Validation', error.message, { cause: error })
        throw error
      }
    },
  }
}

function callOf(resource: string, action: string) {
  const calls = Object.hasOwn(resources, resource) ? resources[resource]! : {}
  return Object.hasOwn(calls, action) ? calls[action] : undefined
}
