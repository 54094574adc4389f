import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { openFunctionPool } from '../../engine/sandbox/pool.ts'
import type { Problem } from '../bundle/problem.ts'
import { applicationOf } from '../cli/run-flow.ts'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { openCoverages, type Wire } from './coverage.ts'
import { type CaseRequest, type CaseResult, runCase } from './run-case.ts'
import { isTestFile, readTestFile, type TestFile } from './test-file.ts'
import { buildWorld } from './world.ts'

/** What became of one file of flow tests. */
export interface FileResult {
  file: string
  /** The file of the flow; undefined where the test file cannot be read. */
  flow?: string
  /** What is wrong with the file, or with the world that it describes: then no case was run. */
  problems: Problem[]
  /** Text of the file, for line numbers. */
  source: string
  cases: CaseResult[]
  wires: { taken: number; all: number; missing: Wire[] }
}

/** The files of flow tests at some paths, in order; of folders those below, but for hidden ones and node_modules. Throws ConfigError. */
export async function findTestFiles(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const path of paths) {
    const info = await stat(path).catch((error: Error) => {
      throw new ConfigError(`Expected a file or a folder, got ${path} (${error.message})`)
    })
    if (!info.isDirectory()) found.add(testFileOf(path))
    else for (const file of await testFilesBelow(path)) found.add(file)
  }
  return [...found]
}

// A flow means the tests beside it.
function testFileOf(path: string): string {
  if (isTestFile(path)) return path
  const base = path.replace(/\.(json|ya?ml)$/i, '')
  const file = ['yaml', 'yml', 'json'].map((ending) => `${base}.test.${ending}`).find((one) => existsSync(one))
  if (file === undefined) throw new ConfigError(`Expected a file of tests beside the flow: ${base}.test.yaml`)
  return file
}

async function testFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) files.push(...(await testFilesBelow(path)))
    else if (isTestFile(path)) files.push(path)
  }
  return files
}

/** Runs files of flow tests, one after the other; `onFile` hears of each as it ends. Leaves nothing behind. */
export async function runTestFiles(
  files: readonly string[],
  onFile: (result: FileResult) => void = () => undefined,
): Promise<FileResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-test-'))
  const functions = openFunctionPool()
  const stop = (_signal: string, number: number) => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(128 + number)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
  try {
    // Nothing of the environment: a test reaches no mail server and no store but its own.
    const config = readConfig({ DATA_DIR: folder })
    const log = pino({ level: 'error' }, pino.destination(2))
    const results: FileResult[] = []
    for (const [index, file] of files.entries()) {
      const own = join(folder, `${index}`)
      const result = await runFile(file, { folder: own, config, log, functions })
      await rm(own, { recursive: true, force: true })
      results.push(result)
      onFile(result)
    }
    return results
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop)
    await functions.close()
    await rm(folder, { recursive: true, force: true })
  }
}

type Shared = Pick<CaseRequest, 'functions'> & { folder: string; config: Config; log: Logger }

async function runFile(file: string, shared: Shared): Promise<FileResult> {
  const { test, problems, source } = await readTestFile(file)
  const result: FileResult = { file, problems, source, cases: [], wires: { taken: 0, all: 0, missing: [] } }
  if (!test) return result
  try {
    return await runTests(test, result, shared)
  } catch (error) {
    // A flow or a folder that is not there: the other files are run all the same.
    if (!(error instanceof ConfigError)) throw error
    const { message } = error
    return { ...result, problems: [{ code: 'test.file', message, severity: 'error', file, pointer: '' }] }
  }
}

async function runTests(test: TestFile, result: FileResult, { folder, ...shared }: Shared): Promise<FileResult> {
  result.flow = flowFileOf(test)
  const application = test.application ?? applicationOf(result.flow)
  const world = await buildWorld(test, { flow: result.flow, application, folder, config: shared.config })
  if (Array.isArray(world)) return { ...result, problems: world }
  const coverages = openCoverages()
  for (const [index, one] of test.tests.entries()) {
    const own = join(folder, `case-${index}`)
    await mkdir(own)
    result.cases.push(await runCase({ ...shared, world, test: one, coverages, folder: own }))
  }
  result.wires = { ...coverages.count(), missing: coverages.missing() }
  return result
}

function flowFileOf({ flow, file }: TestFile): string {
  if (existsSync(flow)) return flow
  const found = ['yaml', 'yml', 'json'].map((ending) => `${flow}.${ending}`).find((one) => existsSync(one))
  if (found !== undefined) return found
  throw new ConfigError(`Expected the flow of ${file} in ${flow}.yaml or .json; name it with "flow"`)
}
