import type { Field } from '../../engine/fields.ts'
import type { AnyNode, NodeExample } from '../../engine/node.ts'
import type { AnyTrigger } from '../../engine/trigger.ts'
import { jsonText } from './json-text.ts'
import type { ExampleResult } from './run-example.ts'
import { settingRows } from './settings.ts'

/** The page of a node type: what it does, its settings, its outputs, its examples as they really ran. */
export function nodePage(node: AnyNode, results: readonly (ExampleResult | undefined)[]): string {
  const { title, summary, type, aliases, group, notIn = [] } = node
  const facts = [
    ['Type', [type, ...aliases].map(code).join(', ')],
    ['Group', group],
    ...(notIn.length > 0 ? [['Not in', `flows of class ${notIn.join(', ')}`]] : []),
  ]
  const examples = node.examples.flatMap((one: NodeExample, index: number) => exampleLines(node, one, results[index]))
  return lines([
    ...[`# ${title}`, '', summary, '', ...table(['', ''], facts)],
    ...['', '## Settings', '', ...settingsTable(node.config)],
    ...['', '## Outputs', '', ...outputLines(node)],
    ...(examples.length > 0 ? ['', '## Examples', ...examples] : []),
  ])
}

/** The page of a trigger type. */
export function triggerPage({ title, summary, type, aliases, classes, config }: AnyTrigger): string {
  const facts = [
    ['Type', [...new Set([type, ...aliases])].map(code).join(', ')],
    ['In', `flows of class ${classes.join(', ')}`],
  ]
  return lines([
    ...[`# ${title} trigger`, '', summary, '', ...table(['', ''], facts)],
    ...['', '## Settings', '', ...settingsTable(config)],
  ])
}

const groups: Record<string, string> = {
  logic: 'Logic',
  data: 'Data',
  device: 'Devices',
  experience: 'Users and groups',
  output: 'Output',
  network: 'Network',
  debug: 'Debugging',
}

/** The first page: every node by group, and every trigger, with a line about each. */
export function indexPage(nodes: readonly AnyNode[], triggers: readonly AnyTrigger[]): string {
  const known = [...new Set([...Object.keys(groups), ...nodes.map(({ group }) => group)])]
  const sections = known.flatMap((group) => {
    const own = nodes.filter((one) => one.group === group).toSorted(byTitle)
    if (own.length === 0) return []
    const rows = own.map(({ type, aliases, title, summary }) => {
      return [`[${title}](${type}.md)`, aliases.map(code).join(', ') || code(type), summary]
    })
    return ['', `## ${groups[group] ?? group}`, '', ...table(['Node', 'Published as', 'What it does'], rows)]
  })
  const rows = triggers.toSorted(byTitle).map(({ type, aliases, title, summary }) => {
    return [`[${title}](trigger-${type}.md)`, (aliases.length > 0 ? aliases : [type]).map(code).join(', '), summary]
  })
  return lines([
    ...introduction,
    '',
    '## Triggers',
    '',
    ...table(['Trigger', 'Published as', 'What it does'], rows),
    ...sections,
  ])
}

const introduction = `# Nodes and triggers

A flow starts at a trigger and goes from node to node, along the wires of the outputs that the nodes take. All of them work on the
payload, a JSON value. These pages are made from the definitions of the nodes by \`npm run generate\`; their examples have really run.

**Types.** A flow file may name a type as it is published or by our own name: \`GetDeviceNode\` and \`device-get\` mean the same.

**Keys.** The key is what stands under \`config\` of a node in a flow file. \`tags[].keyTemplate\` is the key \`keyTemplate\` of each entry
of the list \`tags\`.

**Kinds of settings.** A *template* is Handlebars text over the payload: \`Hello {{data.name}}\`. A *value template* gives the value itself
when it is a lone \`{{path}}\`. A *JSON template* renders to JSON text. A *path* names a place of the payload that the node reads or
writes: \`working.device\`. An *expression* compares and calculates: \`{{data.celsius}} > 30\`. Everything else is used as written.

**Examples** run on 5 January 2026, 08:00 UTC, in an application with one user (user1@example.com), who is a member of the group
Springfield, which has the device Pump 1. "…" stands for what is different each time, such as a new id, and ends what is cut.`.split(
  '\n',
)

function byTitle(a: { title: string }, b: { title: string }): number {
  return a.title < b.title ? -1 : 1
}

function settingsTable(config: Record<string, Field<unknown>>): string[] {
  const rows = settingRows(config)
  if (rows.length === 0) return ['None.']
  const explains = rows.some(({ help }) => help !== '')
  return table(
    ['Setting', 'Key', 'Kind', 'Default', ...(explains ? ['Meaning'] : [])],
    rows.map(({ label, key, kind, initial, help }) => [label, code(key), kind, initial, ...(explains ? [help] : [])]),
  )
}

function outputLines({ outputs, outputPerEntryOf, bodies = [], config }: AnyNode): string[] {
  const named = (outputs as readonly string[]).map((name, index) => {
    const body = (bodies as readonly string[]).includes(name) ? ': the body, walked once for each turn' : ''
    return `- ${index}: \`${name}\`${body}`
  })
  if (named.length === 0) return ['None: the branch ends here.']
  if (outputPerEntryOf === undefined) return named
  const { key, label } = config[outputPerEntryOf] as Field<unknown>
  return [...named, `- from ${named.length}: one for each entry of ${label ?? key}, in their order`]
}

function exampleLines(
  node: AnyNode,
  { title, config, payload, ...given }: NodeExample,
  result?: ExampleResult,
): string[] {
  const outcome = result ?? statedResult(given)
  const takes =
    outcome?.output !== undefined && node.outputs.length > 1 ? [`It takes the output \`${outcome.output}\`.`, ''] : []
  return [
    ...['', `### ${title}`, '', 'With the settings', '', ...json(config)],
    ...['', 'and the payload', '', ...json(payload), ''],
    ...takes,
    ...(outcome?.error ? [`it fails with \`${outcome.error.code}\`: ${outcome.error.message}`] : []),
    ...(outcome && !outcome.error ? ['the payload becomes', '', ...json(outcome.payload)] : []),
    ...(outcome ? effectLines(outcome) : ['It needs more than an example has, so there is no result to show.']),
  ]
}

type Shown = Pick<ExampleResult, 'output' | 'payload' | 'error' | 'mails' | 'replies' | 'messages'>

// What cannot be run here has been run by its tests, which hold it to what it states.
function statedResult({ output, result }: Omit<NodeExample, 'title' | 'config' | 'payload'>): Shown | undefined {
  if (result === undefined) return undefined
  return { output, payload: result, error: undefined, mails: [], replies: [], messages: [] }
}

function effectLines({ mails, replies, messages }: Shown): string[] {
  return [
    ...mails.flatMap((mail) => ['', 'and it sends the mail', '', ...json(mail)]),
    ...replies.flatMap((reply) => ['', 'and it replies', '', ...json(reply)]),
    ...messages.flatMap((message) => ['', 'and the debug log gets', '', ...json(message)]),
  ]
}

function json(value: unknown): string[] {
  return ['```json', jsonText(value), '```']
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function code(text: string): string {
  return `\`${text}\``
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`
}
