import { FlowError } from '../../engine/errors.ts'
import { path, text } from '../../engine/fields.ts'
import type { Payload } from '../../engine/payload.ts'
import { checkScript } from '../../engine/sandbox/check.ts'
import { defineNode } from '../define.ts'

export const functionNode = defineNode({
  type: 'function',
  aliases: ['RawFunctionNode'],
  group: 'logic',
  title: 'Function',
  summary: 'Runs a script on the payload, or on one value of it.',
  outputs: ['next'],
  needs: ['functions'],
  config: {
    script: text({
      key: 'script',
      label: 'Script',
      help: 'JavaScript that sees the value as "payload". It changes it in place, or returns another.',
      required: true,
      check(script) {
        const problem = checkScript(script)
        if (!problem) return undefined
        const message = `Expected a script that compiles, got an error in line ${problem.line}: ${problem.message}`
        return { code: 'function.syntax', message }
      },
    }),
    scope: path({ key: 'scopePath', label: 'Value', help: 'Empty: the whole payload.' }),
  },
  examples: [
    {
      title: 'Change the payload in place',
      config: { script: 'payload.total = payload.data.prices.reduce((sum, price) => sum + price, 0)' },
      payload: { data: { prices: [2, 3] } },
      output: 'next',
      result: { data: { prices: [2, 3] }, total: 5 },
    },
  ],
  async run(context) {
    const { config, use, node, signal } = context
    const scoped = config.scope.given && config.scope.text !== '.'
    const value = scoped ? config.scope.read() : context.payload
    const result = await use.functions.run({ script: config.script, value, node, signal })
    if (scoped) config.scope.write(result)
    else context.payload = toPayload(result)
  },
})

function toPayload(result: unknown): Payload {
  if (result !== null && typeof result === 'object' && !Array.isArray(result) && !(result instanceof Date)) {
    return result as Payload
  }
  const got = result === null ? 'null' : Array.isArray(result) ? 'a list' : `a ${typeof result}`
  throw new FlowError(
    'function.payload',
    `Expected the script to leave an object as the payload, got ${got}. Give the node a path for its value, or return an object.`,
  )
}
