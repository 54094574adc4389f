import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { giveBackWhenQuiet, type Memory, ofProcess } from '../../../server/cli/give-back.ts'

const mb = 1 << 20

/** A process at which one looks; a collection leaves 40 MB. */
function processWith(state: { busy?: number; totalMb?: number; usedMb?: number }) {
  const now = { busy: 0, totalMb: 120, usedMb: 60, ...state }
  const collect = vi.fn(async () => {
    now.totalMb = 40
  })
  const memory: Memory = {
    busyShare: () => now.busy,
    heap: () => ({ totalBytes: now.totalMb * mb, usedBytes: now.usedMb * mb }),
    collect,
  }
  const onError = vi.fn()
  const stop = giveBackWhenQuiet({ memory, onError })
  const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
  return { now, collect, onError, stop, pass }
}

describe('giving memory back', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('waits for ten seconds without work', async () => {
    const { collect, pass } = processWith({})
    await pass(9_999)
    expect(collect).not.toHaveBeenCalled()
    await pass(1)
    expect(collect).toHaveBeenCalledOnce()
  })

  test('starts to wait anew when there was work', async () => {
    const { now, collect, pass } = processWith({})
    await pass(7_500)
    now.busy = 0.3
    await pass(2_500)
    now.busy = 0
    await pass(7_500)
    expect(collect).not.toHaveBeenCalled()
    await pass(2_500)
    expect(collect).toHaveBeenCalledOnce()
  })

  test('counts a process that only answers health checks as one without work', async () => {
    const { collect, pass } = processWith({ busy: 0.02 })
    await pass(10_000)
    expect(collect).toHaveBeenCalledOnce()
  })

  test('is done once, until the heap has grown again', async () => {
    const { now, collect, pass } = processWith({})
    await pass(60_000)
    now.totalMb = 50
    await pass(60_000)
    expect(collect).toHaveBeenCalledOnce()
    now.totalMb = 60
    await pass(10_000)
    expect(collect).toHaveBeenCalledTimes(2)
  })

  test.each([
    ['a heap that is large', { totalMb: 900, usedMb: 800 }],
    ['a heap that is small', { totalMb: 12, usedMb: 10 }],
  ])('leaves %s as it is', async (_what, state) => {
    const { collect, pass } = processWith(state)
    await pass(60_000)
    expect(collect).not.toHaveBeenCalled()
  })

  test('says what went wrong, once', async () => {
    const { collect, onError, pass } = processWith({})
    const error = new Error('Expected an inspector, got none')
    collect.mockRejectedValue(error)
    await pass(60_000)
    expect(collect).toHaveBeenCalledOnce()
    expect(onError.mock.calls).toEqual([[error]])
  })

  test('ends when it is stopped', async () => {
    const { collect, stop, pass } = processWith({})
    stop()
    await pass(60_000)
    expect(collect).not.toHaveBeenCalled()
  })
})

describe('the memory of this process', () => {
  test('is given back by a collection', async () => {
    const memory = ofProcess()
    let garbage: unknown[] | undefined = Array.from({ length: 600_000 }, (_, n) => ({ n }))
    expect(garbage).toHaveLength(600_000)
    const before = memory.heap()
    garbage = undefined
    await memory.collect()
    const after = memory.heap()
    expect(after.usedBytes).toBeLessThan(before.usedBytes - 15 * mb)
    expect(after.totalBytes).toBeLessThan(before.totalBytes - 15 * mb)
  })

  test('tells work from waiting', () => {
    const memory = ofProcess()
    const end = performance.now() + 20
    while (performance.now() < end);
    // Within one turn of the event loop there is nothing to wait for.
    expect(memory.busyShare()).toBe(1)
  })
})
