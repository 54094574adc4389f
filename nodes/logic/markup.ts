import { selectAll } from 'css-select'
import { DomHandler, DomUtils, Parser } from 'htmlparser2'
import { FlowError } from '../../engine/errors.ts'

type MarkupDocument = DomHandler['root']
type Node = MarkupDocument['children'][number]

/** A parsed document. XML keeps the case of names; HTML has lower-case ones and closes what is left open. */
export interface Markup {
  root: MarkupDocument
  xml: boolean
}

/** A tree has two levels of a payload for each element, and 200 is what `toHtml` prints. */
const MOST_DEPTH = 200
/** An element with a million of them is an object that takes seconds to make and to copy. */
const MOST_ATTRIBUTES = 1_000
const CHUNK_CHARS = 65_536

/**
 * Reads HTML or XML, whatever it is worth: nothing in it is fetched, expanded or run. `turn` is awaited between pieces. Throws
 * `markup.limit` for elements nested more than 200 deep, or with more than 1,000 attributes.
 */
export async function parseMarkup(text: string, turn: () => Promise<void> | undefined): Promise<Markup> {
  const xml = isXml(text)
  const handler = new DomHandler()
  const parser = new Parser(bounded(handler), { xmlMode: xml, recognizeSelfClosing: true })
  for (let start = 0; start < text.length; start += CHUNK_CHARS) {
    await turn()
    parser.write(text.slice(start, start + CHUNK_CHARS))
  }
  parser.end()
  return { root: handler.root, xml }
}

function bounded(handler: DomHandler & { onattribute?(): void }): DomHandler {
  const { onopentag, onclosetag } = handler
  let depth = 0
  let attributes = 0
  handler.onattribute = () => {
    attributes += 1
    if (attributes > MOST_ATTRIBUTES) throw limit(`elements of at most ${MOST_ATTRIBUTES} attributes`)
  }
  handler.onopentag = (name, attribs) => {
    attributes = 0
    depth += 1
    if (depth > MOST_DEPTH) throw limit(`elements nested at most ${MOST_DEPTH} deep`)
    onopentag.call(handler, name, attribs)
  }
  handler.onclosetag = () => {
    depth -= 1
    onclosetag.call(handler)
  }
  return handler
}

const MOST_SELECTOR_CHARS = 1_000
const MOST_STEPS = 3_000_000

/**
 * The elements that a CSS selector names, in document order; undefined for one that cannot be read. Throws `markup.limit` for a
 * selector that looks at more than 3 million elements on its way.
 */
export function selectMarkup({ root, xml }: Markup, selector: string): Node[] | undefined {
  if (selector.length > MOST_SELECTOR_CHARS) throw limit(`a selector of at most ${MOST_SELECTOR_CHARS} characters`)
  try {
    // The root, not its children: those would each be looked at beside each other one.
    return selectAll(selector, root as Node, { xmlMode: xml, adapter: counting() })
  } catch (error) {
    if (error instanceof FlowError) throw error
    // Whatever else a selector fails with, it is one that the library does not understand.
    return undefined
  }
}

/** What css-select reads a tree with, counted: sibling and `:has` selectors may look at each element for each other one. */
function counting() {
  let left = MOST_STEPS
  const spend = (steps = 1) => {
    left -= steps
    if (left < 0) throw limit('a selector that takes less work on a document of this size')
  }
  type Test = Parameters<typeof DomUtils.findAll>[0]
  const counted =
    (test: Test): Test =>
    (element) => {
      spend()
      return test(element)
    }
  const getText = (node: Node): string => {
    spend()
    if (DomUtils.hasChildren(node) && !DomUtils.isComment(node)) return node.children.map(getText).join('')
    if (!DomUtils.isText(node)) return ''
    spend(node.data.length)
    return node.data
  }
  return {
    ...DomUtils,
    findAll: (test: Test, nodes: Node[]) => DomUtils.findAll(counted(test), nodes),
    findOne: (test: Test, nodes: Node[]) => DomUtils.findOne(counted(test), nodes),
    existsOne: (test: Test, nodes: Node[]) => DomUtils.existsOne(counted(test), nodes),
    isTag(node: Node): node is Parameters<Test>[0] {
      spend()
      return DomUtils.isTag(node)
    },
    equals(a: Node, b: Node) {
      spend()
      return a === b
    },
    getText,
  }
}

const htmlNames =
  'html|head|body|title|meta|link|style|script|base|div|span|p|br|hr|a|b|i|u|em|strong|small|pre|code|img|picture|svg|' +
  'ul|ol|li|dl|dt|dd|table|caption|thead|tbody|tfoot|tr|td|th|h[1-6]|section|article|aside|header|footer|main|nav|' +
  'form|fieldset|label|input|select|option|textarea|button|iframe|video|audio|canvas|blockquote|figure|template'
const htmlStart = new RegExp(`^\\s*(<!doctype\\s+html|<(${htmlNames})[\\s/>])`, 'i')

// XML says so, or begins with an element that HTML does not have.
function isXml(text: string): boolean {
  const start = text.slice(0, 4096).replace(/^\ufeff?(\s*<!--[\s\S]*?-->)*\s*/, '')
  if (/^<\?xml/i.test(start)) return !/^<\?xml[^>]*>\s*<!doctype\s+html/i.test(start)
  return /^<[A-Za-z_]/.test(start) && !htmlStart.test(start)
}

/** What is larger than it may be. */
export function limit(expected: string): FlowError {
  return new FlowError('markup.limit', `Expected ${expected}, got more`)
}
