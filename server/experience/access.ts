import type { Payload } from '../../engine/payload.ts'
import type { DeviceView } from '../../nodes/services/devices.ts'
import type { Tenancy, UserView } from '../../nodes/services/people.ts'
import type { EndpointRoute } from './definitions.ts'

/** Whether an endpoint may be seen; `device` with `device` access. 401: nobody is logged in; 403: this user may not. */
export type Verdict = { passes: true; device?: DeviceView } | { passes: false; status: 401 | 403 }

export interface AccessServices {
  tenancy: Pick<Tenancy, 'verify' | 'verifyGroup'>
  device(id: string): Promise<DeviceView | undefined>
}

/** Decides on access. Anything unknown or blank is refused. Throws FlowError `template.*` of a device id template. */
export async function checkAccess(
  route: EndpointRoute,
  user: UserView | undefined,
  /** What the device id template is rendered with. */
  view: () => Payload,
  services: AccessServices,
): Promise<Verdict> {
  const { access, experienceGroupIds } = route.endpoint
  if (access === 'public') return { passes: true }
  if (!user) return { passes: false, status: 401 }
  if (access === 'authenticated') return { passes: true }
  if (access === 'group') {
    for (const group of experienceGroupIds) {
      if (await services.tenancy.verifyGroup({ user: user.id, group })) return { passes: true }
    }
  }
  if (access === 'device') {
    const id = route.deviceId(view()).trim()
    const question = { device: id, subject: user.id, kind: 'experienceUser' } as const
    if (id !== '' && (await services.tenancy.verify(question))) {
      const device = await services.device(id)
      if (device) return { passes: true, device }
    }
  }
  return { passes: false, status: 403 }
}
