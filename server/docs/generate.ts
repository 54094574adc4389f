import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyNode } from '../../engine/node.ts'
import type { AnyTrigger } from '../../engine/trigger.ts'
import { nodes, triggers } from '../../nodes/index.ts'
import { schemas, schemaText } from '../schema/schemas.ts'
import { indexPage, nodePage, triggerPage } from './page.ts'
import { openExamples } from './run-example.ts'

/** The folders that hold nothing but what is generated. */
export const generatedFolders = ['schema', 'docs/nodes'] as const

/** Everything that is made from the definitions of nodes and triggers: path from the root of the project to text. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const name of Object.keys(schemas)) files.set(`schema/${name}`, schemaText(name)!)
  const examples = await openExamples()
  try {
    for (const node of nodes as readonly AnyNode[]) {
      const results = []
      for (const example of node.examples) results.push(await examples.run(node, example))
      files.set(`docs/nodes/${node.type}.md`, nodePage(node, results))
    }
  } finally {
    await examples.close()
  }
  for (const trigger of triggers as readonly AnyTrigger[]) {
    files.set(`docs/nodes/trigger-${trigger.type}.md`, triggerPage(trigger))
  }
  files.set('docs/nodes/README.md', indexPage(nodes as readonly AnyNode[], triggers as readonly AnyTrigger[]))
  return files
}

/** Writes what is generated below `root`, and removes from its folders what is not. Gives the number of files. */
export async function writeGenerated(root: string): Promise<number> {
  const files = await generatedFiles()
  for (const folder of generatedFolders) {
    await mkdir(join(root, folder), { recursive: true })
    for (const name of await readdir(join(root, folder))) {
      if (!files.has(`${folder}/${name}`)) await rm(join(root, folder, name))
    }
  }
  for (const [path, text] of files) await writeFile(join(root, path), text)
  return files.size
}
