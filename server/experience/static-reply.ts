import { FlowError } from '../../engine/errors.ts'
import type { Payload } from '../../engine/payload.ts'
import type { Reply } from '../../nodes/services/reply.ts'
import type { StaticReply } from '../store/documents/experience.ts'
import { lazyTemplate } from './lazy-template.ts'

/** A reply that an endpoint or version gives without a flow. `status` is for pages that name none. */
export type StaticAnswer = (context: Payload, status: number) => Reply

/** Compiles the template of a redirect. Asking throws FlowError `template.*` when it cannot be rendered. */
export function compileStaticReply(reply: StaticReply): StaticAnswer {
  if (reply.type === 'page') {
    return (_, status) => ({
      body: { kind: 'page', pageId: reply.value, data: {} },
      ...{ status: reply.statusCode ?? status, headers: [], cookies: [] },
    })
  }
  if (reply.type !== 'redirect') {
    const message = `Expected a static reply of type page or redirect, got "${String(reply.type)}"`
    return () => {
      throw new FlowError('reply.body', message)
    }
  }
  const render = lazyTemplate(reply.value)
  return (context) => ({
    body: { kind: 'redirect', location: render(context) },
    ...{ status: reply.statusCode, headers: [], cookies: [] },
  })
}
