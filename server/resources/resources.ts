import type { Events } from '../../nodes/services/events.ts'
import type { Users, UserView } from '../../nodes/services/people.ts'
import { lazyObjects } from '../lazy-object.ts'
import type { AppStore } from '../store/port.ts'
import { openTenancy, type TenancyRule } from '../tenancy/rule.ts'
import { type Attempts, openAttempts } from './attempts.ts'
import { type DataTableResource, openDataTables } from './data-tables.ts'
import { type DeviceResource, openDevices } from './devices.ts'
import { openEvents } from './events.ts'
import { type FileResource, openFiles } from './files.ts'
import { type GroupResource, openGroups } from './groups.ts'
import { type Actor, anyone, type Happened } from './happenings.ts'
import { openTokens } from './tokens.ts'
import { toUserViews } from './user-views.ts'
import { openUsers, readToken } from './users.ts'

/** What flows, endpoints and the API do with the devices, users, groups and events of one application. */
export interface Resources {
  devices: DeviceResource
  users: Users
  groups: GroupResource
  events: Events
  tenancy: TenancyRule
  dataTables: DataTableResource
  /** Devices, events and rows as this one reports, makes and changes them; without it nobody is named. */
  actingAs(actor: Actor): { devices: DeviceResource; events: Events; dataTables: DataTableResource }
  /** Files as this one writes and removes them. */
  filesAs(actor: Actor): FileResource
  sessions: {
    /** The user and the facts of a token; undefined for a token that is not, or no longer, of this application. */
    resolve(
      token: string,
    ): Promise<{ user: UserView; authInfo: { issuedAt: Date; expiresAt: Date | null; extraData: unknown } } | undefined>
  }
}

export interface ResourceOptions {
  app: AppStore
  now(): number
  /** Signs tokens; default the secret of the application. */
  secret?(): Promise<string> | string
  /** Failed logins; default those of this process. */
  attempts?: Attempts
  /** Told of what flows may listen to; default nobody. */
  happened?: Happened
}

// One for all handles of the process: a handle is opened for each run.
const attemptsOfProcess = openAttempts()

/** Cheap: no I/O, nothing to close. */
export function openResources(options: ResourceOptions): Resources {
  const { app, now, attempts = attemptsOfProcess, happened } = options
  const secret = options.secret ?? (() => secretOf(app))
  const tenancy = openTenancy(app)
  const tokens = openTokens({ application: app.scope.application, secret, now })
  const deps = { app, now, tenancy, tokens, attempts }
  const actingAs = (actor: Actor) => openActing({ app, now, tenancy, actor, happened })
  const { devices, events, dataTables } = actingAs(anyone)
  return {
    filesAs: (actor) => openFiles({ app, now, actor, happened }),
    ...{ devices, events, dataTables },
    actingAs,
    users: openUsers(deps),
    groups: openGroups({ app, tenancy }),
    tenancy,
    sessions: {
      async resolve(token) {
        const valid = await readToken(token, deps)
        if (valid === undefined) return undefined
        const [user] = await toUserViews(app, [valid.user])
        const expiresAt = valid.expiresAt === undefined ? null : new Date(valid.expiresAt)
        return {
          user: user!,
          authInfo: { issuedAt: new Date(valid.issuedAt), expiresAt, extraData: valid.extraData ?? null },
        }
      },
    },
  }
}

type Acting = Parameters<typeof openDevices>[0] &
  Parameters<typeof openEvents>[0] &
  Parameters<typeof openDataTables>[0]

const openActing = lazyObjects<Acting, ReturnType<Resources['actingAs']>>({
  devices: openDevices,
  events: openEvents,
  dataTables: openDataTables,
})

async function secretOf(app: AppStore): Promise<string> {
  const application = await app.collection('application').get(app.scope.application)
  if (application === undefined) throw new Error('The application has no document, so no secret to sign tokens with')
  return application.secret
}
