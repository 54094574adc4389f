import { Refusal } from './services/listing.ts'

/**
 * Waits for an action on a resource, or begins it and waits. A refusal becomes the value that flows look for at the result path,
 * `{ error: { type, message } }`; anything else that goes wrong still fails the run.
 */
export async function orError<T>(
  action: Promise<T> | (() => Promise<T>),
): Promise<T | { error: { type: string; message: string } }> {
  try {
    return await (typeof action === 'function' ? action() : action)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { error: { type: error.type, message: error.message } }
  }
}
