import { type Budget, limitError } from '../budget.ts'
import type { Helpers } from './helper.ts'
import { isRecord, printValue } from './values.ts'

const MOST_DEPTH = 200
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))

/** HTML from the tree that the HTML parser node gives: `{ children: [{ type, name, attributes, children }] }`. */
export const htmlHelpers: Helpers = {
  toHtml: {
    run: ([tree], { budget }) => {
      const print = (node: unknown, depth: number): string => {
        if (depth > MOST_DEPTH) throw limitError(`elements nested more than ${MOST_DEPTH} deep`, 'Print less')
        budget.step(1)
        if (Array.isArray(node)) return printAll(node, depth)
        if (!isRecord(node)) return escapeWithin(budget, printValue(node), escapeMarks)
        if (node.type === 'comment') return `<!--${escapeComment(printValue(node.value), budget)}-->`
        if (node.type !== 'element' || !isName(node.name))
          return node.children === undefined
            ? escapeWithin(budget, printValue(node.value), escapeMarks)
            : print(node.children, depth + 1)
        budget.text(2 * node.name.length)
        let text = `<${node.name}`
        for (const [name, value] of Object.entries(isRecord(node.attributes) ? node.attributes : {})) {
          budget.step(1)
          if (isName(name)) text += ` ${name}="${escapeWithin(budget, printValue(value), escapeQuoted)}"`
        }
        text += '>'
        if (VOID.has(node.name.toLowerCase())) return text
        return `${text}${print(node.children ?? [], depth + 1)}</${node.name}>`
      }
      // Put together by adding: joining would copy a long text once for each element around it.
      const printAll = (nodes: unknown[], depth: number): string => {
        let text = ''
        for (const node of nodes) text += print(node, depth + 1)
        return text
      }
      return print(tree, 0)
    },
  },
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z_:@][\w:.@-]*$/.test(name)
}

const PIECE_CHARS = 65_536

/**
 * `escapeAll` of a text, for characters that are each escaped alone. Made and paid for piece by piece: a text of nothing but marks grows
 * to several times its length. Throws `template.limit`.
 */
export function escapeWithin(budget: Budget, text: string, escapeAll: (text: string) => string): string {
  budget.text(text.length)
  let escaped = ''
  for (let at = 0; at < text.length; at += PIECE_CHARS) {
    const piece = text.length <= PIECE_CHARS ? text : text.slice(at, at + PIECE_CHARS)
    const made = escapeAll(piece)
    if (made.length > piece.length) budget.text(made.length - piece.length)
    escaped += made
  }
  return escaped
}

function escapeMarks(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function escapeQuoted(text: string): string {
  return escapeMarks(text).replaceAll('"', '&quot;')
}

function escapeComment(text: string, budget: Budget): string {
  budget.text(text.length)
  return text.replaceAll('--', '- -')
}
