import type { Connections } from './services/connections.ts'
import type { Credentials } from './services/credentials.ts'
import type { DataTables } from './services/data-tables.ts'
import type { Devices } from './services/devices.ts'
import type { Events } from './services/events.ts'
import type { Files } from './services/files.ts'
import type { Api, CustomNodes, Flows } from './services/flows.ts'
import type { HttpClient } from './services/http.ts'
import type { Jobs, ResourceJobs } from './services/jobs.ts'
import type { Mail, Sms } from './services/mail.ts'
import type { Commands, Mqtt } from './services/messages.ts'
import type { Groups, Tenancy, Users } from './services/people.ts'
import type { Replies } from './services/reply.ts'
import type { Clock, DebugLog, FlowValues, Functions } from './services/run.ts'

/** Everything that a node may ask for. A node names what it needs; nothing else reaches it. All are bound to one run. */
export interface Services {
  clock: Clock
  debug: DebugLog
  values: FlowValues
  functions: Functions
  http: HttpClient
  connections: Connections
  credentials: Credentials
  mail: Mail
  sms: Sms
  devices: Devices
  commands: Commands
  mqtt: Mqtt
  users: Users
  groups: Groups
  tenancy: Tenancy
  events: Events
  dataTables: DataTables
  // Device imports join it with their node.
  jobs: Jobs
  files: Files
  resourceJobs: ResourceJobs
  api: Api
  reply: Replies
  customNodes: CustomNodes
  flows: Flows
}
