import { type DomHandler, DomUtils } from 'htmlparser2'
import { choiceTemplate, path, read, template } from '../../engine/fields.ts'
import { checkTextLength, MOST_ITEMS, takeTurns } from '../bounds.ts'
import { defineNode } from '../define.ts'
import { limit, type Markup, parseMarkup, selectMarkup } from './markup.ts'

export const htmlParser = defineNode({
  type: 'html-parser',
  aliases: ['HtmlParserNode'],
  group: 'logic',
  title: 'HTML Parser',
  summary: 'Finds elements of an HTML or XML document, as text, as markup or as a tree.',
  outputs: ['next'],
  needs: [],
  config: {
    document: read({
      key: 'documentPath',
      label: 'Document',
      help: 'Where the text of the document is found, at most 5 MB. What is no text has nothing in it.',
      required: true,
    }),
    selector: template({ key: 'selectorTemplate', label: 'CSS selector', help: 'Empty: the whole document.' }),
    format: choiceTemplate({
      key: 'resultFormatTemplate',
      label: 'As',
      help: 'text: what a reader sees; xml: the markup; json: a tree of elements.',
      of: ['text', 'xml', 'json'],
    }),
    result: path({
      key: 'resultPath',
      label: 'Result',
      help: 'A list with an entry for each match.',
      required: true,
      writes: true,
    }),
  },
  examples: [
    {
      title: 'The text of every link',
      config: { documentPath: 'data', selectorTemplate: 'a[href^="https://"]', resultPath: 'working.links' },
      payload: {
        data: '<p>See <a href="https://example.com">this &amp; <b>that</b></a>, <a href="/x">not this</a></p>',
      },
      output: 'next',
      result: {
        data: '<p>See <a href="https://example.com">this &amp; <b>that</b></a>, <a href="/x">not this</a></p>',
        working: { links: ['this & that'] },
      },
    },
    {
      title: 'A place in XML, as a tree',
      config: {
        documentPath: 'data',
        selectorTemplate: 'wayPoint',
        resultFormatTemplate: 'json',
        resultPath: 'places',
      },
      payload: { data: '<?xml version="1.0"?><gpx><wayPoint lat="48.1"><name>Pump</name></wayPoint></gpx>' },
      output: 'next',
      result: {
        data: '<?xml version="1.0"?><gpx><wayPoint lat="48.1"><name>Pump</name></wayPoint></gpx>',
        places: [
          {
            children: [
              {
                type: 'element',
                name: 'wayPoint',
                attributes: { lat: '48.1' },
                children: [
                  { type: 'element', name: 'name', attributes: {}, children: [{ type: 'text', value: 'Pump' }] },
                ],
              },
            ],
          },
        ],
      },
    },
  ],
  async run({ config, signal }) {
    // Many pages have no such thing: nothing is found in what is no text.
    if (typeof config.document !== 'string') return config.result.write([])
    checkTextLength(config.document.length)
    const markup = await parseMarkup(config.document, takeTurns(signal))
    const selector = config.selector.trim()
    const found = selector === '' ? [markup.root.children] : selectMarkup(markup, selector)?.map((node) => [node])
    config.result.write(printAll(found ?? [], config.format, markup))
  },
})

type Node = DomHandler['root']['children'][number]

// Elements that lie in each other are printed once for each: what comes out is bounded, not only what goes in.
function printAll(found: Node[][], format: 'text' | 'xml' | 'json', { xml }: Markup): unknown[] {
  let size = 0
  return found.map((nodes) => {
    if (format === 'json') {
      const children = nodes.flatMap((node) => treeOf(node, () => ++size))
      return { children }
    }
    const text = format === 'xml' ? DomUtils.getOuterHTML(nodes, { xmlMode: xml }) : DomUtils.innerText(nodes)
    size += text.length
    checkTextLength(size)
    return text
  })
}

function treeOf(node: Node, count: () => number): unknown[] {
  if (count() > MOST_ITEMS) throw limit(`a tree of at most ${MOST_ITEMS} parts`)
  if (DomUtils.isTag(node)) {
    const children = node.children.flatMap((child) => treeOf(child, count))
    return [{ type: 'element', name: node.name, attributes: { ...node.attribs }, children }]
  }
  if (DomUtils.isCDATA(node)) return [{ type: 'cdata', value: DomUtils.textContent(node) }]
  if (DomUtils.isComment(node)) return [{ type: 'comment', value: node.data }]
  // Blanks between elements are how the text is laid out, not what it says.
  if (DomUtils.isText(node) && node.data.trim() !== '') return [{ type: 'text', value: node.data }]
  return []
}
