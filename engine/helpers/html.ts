import { limitError } from '../budget.ts'
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
        if (Array.isArray(node)) return node.map((child) => print(child, depth + 1)).join('')
        if (!isRecord(node)) return escapeText(printValue(node))
        if (node.type === 'comment') return `<!--${printValue(node.value).replaceAll('--', '- -')}-->`
        if (node.type !== 'element' || !isName(node.name))
          return node.children === undefined ? escapeText(printValue(node.value)) : print(node.children, depth + 1)
        const attributes = Object.entries(isRecord(node.attributes) ? node.attributes : {})
          .filter(([name]) => isName(name))
          .map(([name, value]) => ` ${name}="${escapeText(printValue(value)).replaceAll('"', '&quot;')}"`)
        const open = `<${node.name}${attributes.join('')}>`
        if (VOID.has(node.name.toLowerCase())) return open
        const text = `${open}${print(node.children ?? [], depth + 1)}</${node.name}>`
        budget.text(open.length)
        return text
      }
      return print(tree, 0)
    },
  },
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z_:@][\w:.@-]*$/.test(name)
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
