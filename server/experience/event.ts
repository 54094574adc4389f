import { randomUUID } from 'node:crypto'
import { copyValue, type Payload } from '../../engine/payload.ts'
import type { DeviceView } from '../../nodes/services/devices.ts'
import type { EndpointDocument } from '../store/documents/experience.ts'
import type { Scope } from '../store/scope.ts'
import type { Definitions, EndpointRoute } from './definitions.ts'
import { type RequestParts, requestSeen } from './request.ts'
import type { Session } from './session.ts'

/** A request, as the flows that listen to its endpoint get it. Nobody else holds its objects. */
export interface EndpointEvent {
  scope: Scope
  /** Name of the experience version. */
  version: string
  /** Undefined: only "any endpoint" triggers are meant (404, 401 and 403). */
  endpoint?: EndpointDocument
  /** Of the definitions that the request was served with. */
  revision: number
  replyId: string
  requestId: string
  /** Milliseconds since the epoch. */
  time: number
  /** `path method params query headers cookies body replyId`. Several runs each need a copy of their own. */
  data: Payload
  /** `user version authInfo endpoint? device?`. */
  experience: Payload
  relay: { type: 'experienceUser' | 'public'; id: string }
  /** What pages are rendered with, but for `pageData`, `globals` and `flow` of the run. Not to be changed. */
  context: Payload
  /** To be called once all runs of the event have ended, also when there is none. */
  onEnd?: () => void
}

const ZERO_ID = '0'.repeat(24)

/** The root that templates and pages are rendered with before a flow has a say. */
export function toView(
  definitions: Definitions,
  request: RequestParts,
  about: { time: number; route?: EndpointRoute; session?: Session; device?: DeviceView },
): Payload {
  const { application, globals } = definitions
  return {
    time: new Date(about.time),
    application: { id: application.id, name: application.name },
    experience: experienceOf(definitions.version, about),
    request: requestSeen(request),
    globals,
  }
}

/** The event of a request. `route` undefined: only "any endpoint" triggers are meant. */
export function toEvent(
  definitions: Definitions,
  request: RequestParts,
  about: {
    time: number
    route?: EndpointRoute
    session?: Session
    device?: DeviceView
    requestId: string
    context: Payload
  },
): EndpointEvent {
  const { scope, version, revision } = definitions
  const { time, route, session, requestId, context } = about
  const { method, path, params, query, headers, cookies, body } = request
  const replyId = `${route?.endpoint.id ?? ZERO_ID}.${randomUUID()}`
  return {
    ...{ scope, version, revision, replyId, requestId, time, context },
    endpoint: route?.endpoint,
    // Flows may write anywhere in their payload: what the page that answers shows of the request is its own.
    data: { ...copyValue({ method, path, params, query, headers, cookies }), body, replyId },
    experience: copyValue(experienceOf(version, about)),
    relay: session ? { type: 'experienceUser', id: session.user.id } : { type: 'public', id: ZERO_ID },
  }
}

function experienceOf(
  version: string,
  about: { route?: EndpointRoute; session?: Session; device?: DeviceView },
): Payload {
  const experience: Payload = { version, user: about.session?.user ?? null, authInfo: about.session?.authInfo ?? null }
  if (about.route) experience.endpoint = about.route.view
  if (about.device) experience.device = about.device
  return experience
}
