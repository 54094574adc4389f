import { limitError } from '../../engine/budget.ts'
import { jsonEncodeForHtml } from '../../engine/helpers/encoding.ts'
import { type Call, type Frame, type Helper, type Helpers, innerFrame } from '../../engine/helpers/helper.ts'
import { printValue } from '../../engine/helpers/values.ts'

/** How the URL of a file is made: a private one is signed and valid for `ttlSeconds` (default 900). */
export interface FileOptions {
  private: boolean
  ttlSeconds: number
}

/** What a dashboard in a page is shown with. Empty texts mean the default; `time` is milliseconds as text. */
export interface DashboardArgs {
  dashboardId: string
  ctx: unknown
  theme: string
  time: string
  hideHeader: boolean
}

/** What the helpers of one page share while it is rendered: the `host` of its frames. */
export interface Rendering {
  /** Contents for the sections of the layout, by name. */
  sections: Map<string, string>
  /** The page, once it is rendered: from then on it is the turn of the layout. */
  page: string | undefined
  /** Components inside one another at this moment, at most 20. */
  depth: number
  /** A component by its name; '' if there is none. */
  component(name: string, context: unknown, frame: Frame): string
}

const MOST_DEPTH = 20
const DEFAULT_TTL_SECONDS = 900

/** The helpers that only views have. */
export function viewHelpers(options: {
  fileUrl(path: string, options: FileOptions): string
  dashboard(args: DashboardArgs): string
}): Helpers {
  return {
    jsonEncode: jsonEncodeForHtml,
    json: jsonEncodeForHtml,
    page: { raw: true, run: (_, call) => renderingOf(call).page ?? '' },
    section,
    fillSection,
    component,
    element: {
      raw: true,
      run: ([kind], { hash }) =>
        kind === 'dashboard'
          ? options.dashboard({
              dashboardId: printValue(hash.dashboardId),
              ctx: hash.ctx,
              theme: printValue(hash.theme),
              time: hash.time instanceof Date ? String(hash.time.getTime()) : printValue(hash.time),
              hideHeader: isTrue(hash.hideHeader),
            })
          : '',
    },
    file: {
      run: ([given], { hash }) => {
        const path = printValue(given)
        if (path === '' || /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(path)) return path
        const ttl = Number(printValue(hash.ttl))
        return options.fileUrl(path, { private: isTrue(hash.private), ttlSeconds: ttl > 0 ? ttl : DEFAULT_TTL_SECONDS })
      },
    },
  }
}

const section: Helper = {
  block: 'both',
  least: 1,
  raw: true,
  run: ([name], call) => {
    const { page, sections } = renderingOf(call)
    const filled = page === undefined ? undefined : sections.get(printValue(name))
    return filled ?? call.body?.(call.context) ?? ''
  },
}

// Prints nothing. What a layout, or a component that it shows, fills comes too late for its sections.
const fillSection: Helper = {
  block: 'only',
  least: 1,
  run: ([name], call) => {
    const { page, sections } = renderingOf(call)
    if (page === undefined) sections.set(printValue(name), call.body!(call.context))
    return ''
  },
}

const component: Helper = {
  least: 1,
  raw: true,
  run: (args, call) => {
    const { frame, hash } = call
    const rendering = renderingOf(call)
    rendering.depth += 1
    if (rendering.depth > MOST_DEPTH)
      throw limitError(`components nested more than ${MOST_DEPTH} deep`, 'End the recursion')
    const context = args.length > 1 ? args[1] : call.context
    const text = rendering.component(printValue(args[0]), context, innerFrame(frame, { ...hash }))
    rendering.depth -= 1
    return text
  },
}

function renderingOf({ frame }: Call): Rendering {
  return frame.host as Rendering
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}
