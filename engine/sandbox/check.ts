import { compileFunction } from 'node:vm'

/** Real scripts reach 138,000 characters; parsing holds up everything else. */
const maxLength = 1_000_000

/**
 * What keeps a function node's script from compiling, with its line (from 1); undefined when it compiles. Parses it as
 * the body of a function and runs nothing: a script that closes the function around it is refused as well.
 */
export function checkScript(script: string): { message: string; line: number } | undefined {
  if (script.length > maxLength) return { message: `The script is longer than ${maxLength} characters`, line: 1 }
  try {
    compileFunction(script, ['payload'], { filename: 'function-node' })
    return undefined
  } catch (error) {
    // V8 puts the place on the first line of the stack: `function-node:3`.
    const { message, stack = '' } = error as Error
    return { message, line: Number(/^function-node:(\d+)/.exec(stack)?.[1] ?? 1) }
  }
}
