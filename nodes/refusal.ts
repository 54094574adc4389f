import { Refusal } from './services.ts'

/**
 * Waits for an action on a resource. A refusal becomes the value that flows look for at the result path,
 * `{ error: { type, message } }`; anything else that goes wrong still fails the run.
 */
export async function orError<T>(action: Promise<T>): Promise<T | { error: { type: string; message: string } }> {
  try {
    return await action
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { error: { type: error.type, message: error.message } }
  }
}
