import { FlowError } from '../../engine/errors.ts'
import {
  bodyTemplate,
  byType,
  choice,
  json,
  lazy,
  list,
  optional,
  path,
  read,
  template,
  text,
  unused,
  wholePayload,
} from '../../engine/fields.ts'
import { readPath } from '../../engine/payload.ts'
import { printValue } from '../../engine/template.ts'
import { defineNode } from '../define.ts'
import type { CookieChange, Reply, ReplyBody } from '../services/reply.ts'

export const endpointReply = defineNode({
  type: 'endpoint-reply',
  aliases: ['EndpointReplyNode'],
  group: 'output',
  title: 'Endpoint Reply',
  summary: 'Answers the request that started the run; the first answer wins.',
  outputs: ['next'],
  notIn: ['customNode'],
  needs: ['reply'],
  config: {
    kind: choice({
      key: 'replyType',
      label: 'Reply',
      help: 'page: a page of the experience. redirect: another address. custom: anything.',
      of: ['custom', 'page', 'redirect', 'mqtt'],
    }),
    replyId: path({
      key: 'replyIdPath',
      label: 'Reply id path',
      help: 'Which request is answered; blank: the one that this run began with.',
    }),
    status: template({
      key: 'responseCodeTemplate',
      label: 'Response code',
      help: '100 to 599; otherwise 200, or 302 for a redirect.',
    }),
    body: lazy(
      byType({
        key: 'bodyTemplate',
        label: 'Body',
        help: 'Of custom: what is answered. Of a page: what it sees as data. Of a redirect: the address.',
        typeKey: 'bodyTemplateType',
        default: 'string',
        kinds: { string: bodyTemplate(), path: read(), json: json(), payload: wholePayload(), none: unused() },
      }),
    ),
    page: template({ key: 'pageIdTemplate', label: 'Page', help: 'Id of the page.' }),
    layout: template({ key: 'layoutIdTemplate', label: 'Layout', help: 'Id of another layout than that of the page.' }),
    headers: list({
      key: 'headerInfo',
      label: 'Headers',
      help: 'Of the answer; a name that is empty is left out.',
      of: {
        name: template({ key: 'keyTemplate', label: 'Name', help: 'Such as Cache-Control.' }),
        value: template({ key: 'valueTemplate', label: 'Value', help: 'Without line breaks.' }),
      },
    }),
    cookies: list({
      key: 'cookieInfo',
      label: 'Cookies',
      help: 'Set in the browser; a name that is empty is left out.',
      of: {
        name: template({ key: 'nameTemplate', label: 'Name', help: 'Such as authorization.' }),
        value: optional(template({ key: 'valueTemplate', label: 'Value', help: 'Left out: the cookie is removed.' })),
        path: template({ key: 'pathTemplate', label: 'Path', help: 'Below which the cookie is sent; / when empty.' }),
        maxAge: template({
          key: 'maxAgeTemplate',
          label: 'Lifetime in ms',
          help: 'Blank: until the browser is closed.',
        }),
      },
    }),
    sameSite: template({
      key: 'sameSiteTemplate',
      label: 'SameSite',
      help: 'none, lax or strict, for all cookies of the reply.',
    }),
    experienceVersion: text({
      key: 'experienceVersion',
      label: 'Experience version',
      help: 'The version whose page is shown; blank: the one that was asked.',
    }),
  },
  examples: [
    {
      title: 'A list as JSON',
      config: { replyType: 'custom', bodyTemplateType: 'path', bodyTemplate: 'working.devices' },
      payload: { data: { replyId: 'e.1' }, working: { devices: [] } },
      output: 'next',
    },
  ],
  run({ config, payload, use }) {
    const replyId = replyIdOf(
      config.replyId.given ? [config.replyId.read()] : [readPath(payload, DATA), readPath(payload, ERRORED)],
    )
    if (replyId === undefined) return
    const reply: Reply = {
      body: bodyOf(config),
      status: statusOf(config.status),
      headers: config.headers.flatMap(({ name, value }) => (name.trim() === '' ? [] : [[name.trim(), value]])),
      cookies: config.cookies.flatMap(toCookie),
      sameSite: sameSiteOf(config.sameSite),
    }
    // Nothing is copied: the payload rests until the reply is made of it.
    const version = config.experienceVersion === '' ? {} : { experienceVersion: config.experienceVersion }
    return use.reply.send(replyId, reply, { payload, ...version })
  },
})

const DATA = ['data', 'replyId']
// An error handler that names no path answers the request of the run that failed.
const ERRORED = ['data', 'erroredPayload', 'data', 'replyId']

function replyIdOf(candidates: readonly unknown[]): string | undefined {
  return candidates.find((one): one is string => typeof one === 'string' && one !== '')
}

interface BodySettings {
  kind: 'custom' | 'page' | 'redirect' | 'mqtt'
  body: () => unknown
  page: string
  layout: string
}

function bodyOf({ kind, body, page, layout }: BodySettings): ReplyBody {
  switch (kind) {
    case 'redirect':
      return { kind, location: printValue(body()) }
    case 'custom':
      return { kind, body: body() }
    case 'page': {
      const own = layout.trim() === '' ? {} : { layoutId: layout.trim() }
      return { kind, pageId: page.trim(), data: body(), ...own }
    }
    case 'mqtt':
      throw new FlowError(
        'reply.unsupported',
        'Expected a reply of type page, redirect or custom; streams (mqtt) are not supported',
      )
  }
}

// Anything but a status from 100 to 599 means the default of the reply's type.
function statusOf(text: string): number | undefined {
  const status = Number(text.trim() || Number.NaN)
  return Number.isInteger(status) && status >= 100 && status <= 599 ? status : undefined
}

function sameSiteOf(text: string): Reply['sameSite'] {
  const word = text.trim().toLowerCase()
  return word === 'none' || word === 'lax' || word === 'strict' ? word : undefined
}

function toCookie(one: { name: string; value: string | undefined; path: string; maxAge: string }): CookieChange[] {
  const name = one.name.trim()
  if (name === '') return []
  const maxAgeMs = Number(one.maxAge.trim() || Number.NaN)
  return [
    {
      name,
      ...(one.value === undefined ? {} : { value: one.value }),
      ...(one.path.trim() === '' ? {} : { path: one.path.trim() }),
      ...(Number.isFinite(maxAgeMs) ? { maxAgeMs } : {}),
    },
  ]
}
