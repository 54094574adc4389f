const single = /^\s*(select|insert|update|delete|with|values|table)\b[^;]*;?\s*$/i

/**
 * True for a statement after which the connection is as before: one alone, that reads or changes rows. Others may begin a transaction or
 * change what holds for the whole connection.
 */
export function leavesNothing(query: string): boolean {
  return single.test(query)
}
