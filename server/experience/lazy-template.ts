import type { Payload } from '../../engine/payload.ts'
import { openTemplates } from '../../engine/template.ts'

/** A text template, compiled when it is first asked: one that is broken spoils only what needs it. */
export function lazyTemplate(source: string): (root: Payload) => string {
  let render: ((root: Payload) => string) | undefined
  return (root) => {
    render ??= openTemplates().text(source)
    return render(root)
  }
}
