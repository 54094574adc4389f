import { copyValue, type Payload } from '../../engine/payload.ts'
import type { Replies, Reply } from '../../nodes/services/reply.ts'
import { type Definitions, openDefinitions } from '../experience/definitions.ts'
import { openFileLinks } from '../experience/files.ts'
import { toAnswer } from '../experience/reply.ts'
import type { RunnableFlow } from '../flows/plans.ts'
import type { AppStore } from '../store/port.ts'
import { messageReply } from '../websockets/message-reply.ts'
import type { World } from './world.ts'

/** The first reply of a run, as expectations see it. */
export interface GotReply {
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  /** By name; a removed cookie is null. */
  cookies: Record<string, { value?: string; path?: string; maxAgeMs?: number } | null>
  location?: string
  /** Name of the page, or its id where the application has none. */
  page?: string
  layout?: string
  /** What the page is rendered with. */
  data?: unknown
  /** Of a custom reply: its value. */
  body?: unknown
  /** What the client gets. */
  text: string
}

/** Takes the replies of one run, of which the first counts. Pages are rendered where the application has views. */
export async function replyRecorder(options: {
  app: AppStore
  world: World
  clock: { now: number }
  flow: RunnableFlow
  view: Payload
}): Promise<{ replies: Replies; reply(): GotReply | undefined }> {
  const { app, world, clock, flow, view } = options
  const views = await app.collection('views').find({ limit: 10_000 })
  const names = new Map(views.map(({ id, name }) => [id, name]))
  const definitions = openDefinitions({
    viewOptions: ({ store, secret }) => ({
      ...openFileLinks({ id: store.scope.application, secret, now: () => clock.now }),
      dashboard: () => '',
      now: () => clock.now,
    }),
  })
  let got: GotReply | undefined
  const replies: Replies = {
    async message(client, message) {
      await replies.send(client, messageReply(message), { payload: {} })
    },
    async send(_replyId, reply, { experienceVersion }) {
      if (got) return
      const version = experienceVersion ?? flow.experienceVersion ?? 'develop'
      const { id, name, version: flowVersion } = flow
      got = toGot(reply, {
        // An application that does not have the version serves the flow in the one that every application has.
        definitions: (await definitions.of(app, version)) ?? (await definitions.of(app, 'develop'))!,
        rendersPages: views.length > 0,
        view: { ...view, flow: { id, name, version: flowVersion } },
        nameOf: (viewId) => names.get(viewId) ?? world.tokenOf(viewId),
      })
    },
  }
  return { reply: () => got, replies }
}

interface Rendering {
  definitions: Definitions
  rendersPages: boolean
  view: Payload
  nameOf(viewId: string): string
}

function toGot(reply: Reply, { definitions, rendersPages, view, nameOf }: Rendering): GotReply {
  const { body } = reply
  const isPage = body.kind === 'page'
  const shown: Reply = isPage && !rendersPages ? { ...reply, body: { kind: 'custom', body: undefined } } : reply
  const { status, headers, body: text } = toAnswer(shown, { definitions, secure: false, view })
  const cookies = reply.cookies.map(({ name, value, path, maxAgeMs }) => {
    return [name, value === undefined ? null : { value, path, maxAgeMs }] as const
  })
  return {
    ...{ status, headers, cookies: Object.fromEntries(cookies), text },
    ...(typeof headers.location === 'string' ? { location: headers.location } : {}),
    ...(isPage ? { page: nameOf(body.pageId), data: copyValue(body.data) } : {}),
    ...(isPage && body.layoutId !== undefined ? { layout: nameOf(body.layoutId) } : {}),
    ...(body.kind === 'custom' ? { body: copyValue(body.body) } : {}),
  }
}
