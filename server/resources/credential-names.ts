import type { AppStore } from '../store/port.ts'

/** The names of credentials that flows of an application ask for and that are not stored; those that templates make are not known. */
export async function missingCredentials(app: AppStore): Promise<string[]> {
  const asked = new Set<string>()
  for (const collection of ['flows', 'flowVersions'] as const) {
    for await (const { content } of app.collection(collection).each())
      for (const name of namesIn(content.nodes)) asked.add(name)
  }
  for await (const { name } of app.collection('credentials').each()) asked.delete(name)
  return [...asked].sort()
}

function namesIn(nodes: unknown): string[] {
  if (!Array.isArray(nodes)) return []
  return nodes.flatMap((node: { config?: { credentialNameTemplate?: unknown } } | null) => {
    const name = node?.config?.credentialNameTemplate
    return typeof name === 'string' && name.trim() !== '' && !name.includes('{{') ? [name.trim()] : []
  })
}
