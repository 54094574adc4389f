import { expect, test } from 'vitest'
import { compileFlow } from '../../../engine/compile.ts'
import { openTemplates } from '../../../engine/template.ts'
import { catalog } from '../../../nodes/index.ts'

/** What is wrong with a flow that this timer starts. */
function wrong(config: Record<string, unknown>): string[] {
  const trigger = { type: 'timer', key: 'flow-1', config, meta: {}, outputIds: [[]] }
  const flow = { name: 'Timed', triggers: [trigger], nodes: [], globals: [] }
  return compileFlow(flow, { flowClass: 'cloud', catalog, templates: openTemplates() }).problems.map(
    ({ message }) => message,
  )
}

test.each([1, 1.5, '60', 31_536_000])('%j seconds will do', (seconds) => {
  expect(wrong({ seconds })).toEqual([])
})

test.each([0, 0.5, -1, 31_536_001])('%j seconds will not do', (seconds) => {
  expect(wrong({ seconds })).toEqual([expect.stringContaining('1 to 31536000')])
})

test('a timer needs one of both, and a schedule goes before seconds', () => {
  for (const config of [{}, { seconds: null, cron: '' }]) {
    expect(wrong(config)).toEqual([expect.stringContaining('got neither')])
  }
  expect(wrong({ seconds: 0, cron: '* * * * *' })).toEqual([])
  expect(wrong({ seconds: 5, cron: 'x' })).toHaveLength(1)
})

test.each([
  '*/5 * * * *',
  '0 8-17/2 1,15 * 1-5',
  '30 0 8 * * *',
  '0 8 * jan-mar mon,WED,fri',
  '0 0 * * 0',
  '0 0 * * 7',
  ...['@yearly', '@monthly', '@weekly', '@daily', '@hourly'],
])('the schedule %j will do', (cron) => {
  expect(wrong({ cron })).toEqual([])
})

test.each([
  ...['0 0 L * *', '0 0 15W * *', '0 0 * * 1#2', '0 0 ? * *', '0 0 * * 5L', '@reboot', '@annually', '@nightly'],
  ...['* * * *', '* * * * * * *', '60 * * * *', '0 24 * * *', '0 0 32 * *', '0 0 * 13 *', 'soon', '0 0 * * xyz'],
])('the schedule %j will not do', (cron) => {
  expect(wrong({ cron })).toEqual([expect.stringMatching(/^Expected a cron schedule/)])
})

test('a zone is one that is known', () => {
  const cron = '0 8 * * *'
  for (const tz of [undefined, '', 'UTC', 'Europe/Paris']) expect([tz, wrong({ cron, tz })]).toEqual([tz, []])
  expect(wrong({ cron, tz: 'Europe/Nowhere' })).toEqual([expect.stringContaining('Europe/Paris')])
})
