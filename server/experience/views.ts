import { defaultLimits, limitError, openBudget, type TemplateLimits, withinLimits } from '../../engine/budget.ts'
import { FlowError } from '../../engine/errors.ts'
import { mostCompileWork, spendCompileWork } from '../../engine/field.ts'
import { type Helpers, rootFrame } from '../../engine/helpers/helper.ts'
import { sharedHelpers, sharedHelpersAt } from '../../engine/helpers/list.ts'
import { metaHelpers } from '../../engine/helpers/meta.ts'
import { compileTemplate, type Template } from '../../engine/template-compile.ts'
import { parseTemplate } from '../../engine/template-parse.ts'
import { type DashboardArgs, type FileOptions, type Rendering, viewHelpers } from './view-helpers.ts'

/** A layout, page or component. `body` is Handlebars text; `headers` of a page may set its content type. */
export interface View {
  id: string
  /** Another id that means this view, where no view has it as its own. */
  copyOf?: string
  name: string
  viewType: 'page' | 'layout' | 'component'
  body: string
  description?: string
  viewTags?: Record<string, string>
  /** The layout of a page; a layout of the same version. */
  layoutId?: string | null
  headers?: Record<string, string>
}

/** What was rendered. `components` names each component that took part, once, in the order of first use. */
export interface RenderedPage {
  html: string
  contentType: string
  components: string[]
}

/** The views of one version of an experience. Each is compiled at first use and once. Holds nothing to close. */
export interface ViewSet {
  /**
   * Renders a page, then the layout around it (`layoutId`, else that of the page, else none). `experience.page` and
   * `experience.layout` of the context are set here. Page, components and layout share one budget. Throws
   * `view.missing` for a page or layout that does not exist, and `template.*`, each naming the view.
   */
  render(request: { pageId: string; layoutId?: string; context: Record<string, unknown> }): RenderedPage
}

export interface ViewOptions {
  /** The URL of an application file. */
  fileUrl(path: string, options: FileOptions): string
  /** Markup that shows a dashboard. */
  dashboard(args: DashboardArgs): string
  limits?: Partial<TemplateLimits>
  /** The clock of helpers that ask for the time; default the real one. */
  now?(): number
}

/** Opens the views of one version. Nothing is compiled yet. */
export function openViews(views: readonly View[], options: ViewOptions): ViewSet {
  const limits = { ...defaultLimits, ...options.limits }
  const helpers = viewHelpersOf(options)
  const byId = new Map(views.flatMap((view) => (view.copyOf === undefined ? [] : [[view.copyOf, view] as const])))
  for (const view of views) byId.set(view.id, view)
  const components = new Map(views.filter(isComponent).map((view) => [view.name, view]))
  const compiled = new Map<View, Template>()
  const templateOf = (view: View, work: { left: number }) => {
    const known = compiled.get(view)
    if (known) return known
    inView(view, () => spendCompileWork(view.body, work))
    const made = inView(view, () => compileTemplate(view.body, helpers))
    compiled.set(view, made)
    return made
  }
  const viewOf = (id: string, viewType: View['viewType']) => {
    const view = byId.get(id)
    if (view?.viewType === viewType) return view
    throw new FlowError(
      'view.missing',
      `Expected a ${viewType} with the id "${id}", got none. Check the reply node and the page.`,
    )
  }

  return {
    render({ pageId, layoutId, context }) {
      const page = viewOf(pageId, 'page')
      const layout = layoutId || page.layoutId ? viewOf((layoutId || page.layoutId)!, 'layout') : undefined
      const budget = openBudget(limits)
      // Of what this render is the first to use.
      const work = { left: mostCompileWork }
      const used = new Set<string>()
      const rendering: Rendering = {
        sections: new Map(),
        page: undefined,
        depth: 0,
        component(name, value, frame) {
          const view = components.get(name)
          if (!view) return ''
          used.add(name)
          return inView(view, () => templateOf(view, work)(value, frame, budget))
        },
      }
      const root = {
        ...context,
        experience: { ...asRecord(context.experience), page: metaOf(page), layout: layout && metaOf(layout) },
      }
      const frame = rootFrame(root, rendering)
      const show = (view: View) => inView(view, () => withinLimits(() => templateOf(view, work)(root, frame, budget)))
      let html = show(page)
      if (layout) {
        rendering.page = html
        html = show(layout)
      }
      if (html.length > limits.outputChars)
        throw limitError(`more than ${limits.outputChars} characters of HTML`, 'Print less')
      return { html, contentType: contentTypeOf(page), components: [...used] }
    },
  }
}

/**
 * What is wrong with the body of a view, or undefined: a syntax error, a helper that does not exist, and for a layout
 * (`view.layout`) that it does not hold `{{page}}` exactly once.
 */
export function checkView(body: string, viewType: View['viewType']): FlowError | undefined {
  try {
    compileTemplate(body, checkedHelpers)
    const pages = viewType === 'layout' ? countPages(parseTemplate(body)) : 1
    if (pages === 1) return undefined
    return new FlowError('view.layout', `Expected a layout with {{page}} exactly once, got it ${pages} times.`)
  } catch (error) {
    if (error instanceof FlowError) return error
    throw error
  }
}

function viewHelpersOf(options: Pick<ViewOptions, 'fileUrl' | 'dashboard' | 'now'>): Helpers {
  const shared = options.now ? sharedHelpersAt(options.now) : sharedHelpers
  const helpers = { ...shared, ...viewHelpers(options) }
  return { ...helpers, ...metaHelpers(helpers) }
}

const checkedHelpers = viewHelpersOf({ fileUrl: () => '', dashboard: () => '' })

function isComponent(view: View): boolean {
  return view.viewType === 'component'
}

function metaOf({ id, name, description, viewTags }: View) {
  return { id, name, description: description ?? '', viewTags: viewTags ?? {} }
}

function contentTypeOf(page: View): string {
  const header = Object.entries(page.headers ?? {}).find(([name]) => name.toLowerCase() === 'content-type')
  return header?.[1] || 'text/html'
}

function asRecord(value: unknown): object {
  return value !== null && typeof value === 'object' ? value : {}
}

// The innermost view is named: that is where the author has to look.
function inView<T>(view: View, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof FlowError) || /^In (page|layout|component) "/.test(error.message)) throw error
    throw new FlowError(error.code, `In ${view.viewType} "${view.name}": ${error.message}`, {
      cause: error,
      name: error.name,
    })
  }
}

function countPages(program: hbs.AST.Program | undefined): number {
  let count = 0
  for (const node of program?.body ?? []) {
    const { path, program: inner, inverse } = node as hbs.AST.BlockStatement
    if (node.type === 'MustacheStatement' && (path as { original: unknown }).original === 'page') count += 1
    count += countPages(inner) + countPages(inverse)
  }
  return count
}
