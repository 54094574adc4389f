import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Outcome } from '../engine/run.ts'
import type { JobEnd } from './jobs/port.ts'

export interface Metrics {
  /** Text of GET /metrics and its content type. */
  text(): Promise<{ body: string; contentType: string }>
  request(answer: { method: string; status: number; seconds: number }): void
  run(run: { trigger: string; outcome: Outcome }): void
  job(end: JobEnd): void
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Counts and times of this process. Labels come from closed sets: no path, flow or application ever becomes one. */
export function openMetrics(now: { waitingReplies(): number; runningJobs(): number; droppedRuns(): number }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Histogram({
    name: 'headgate_request_seconds',
    help: 'Time from a request to an experience to its reply',
    labelNames: ['method', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30],
    registers,
  })
  const runs = new Histogram({
    name: 'headgate_run_seconds',
    help: 'Time of runs, from trigger to end',
    labelNames: ['trigger', 'status'],
    buckets: [0.001, 0.01, 0.1, 1, 10, 60],
    registers,
  })
  const jobs = new Histogram({
    name: 'headgate_job_seconds',
    help: 'Time of jobs in this process, from each start to its end',
    labelNames: ['kind', 'status'],
    buckets: [0.01, 0.1, 1, 10, 60, 600],
    registers,
  })
  const visits = new Counter({ name: 'headgate_node_visits_total', help: 'Visits of nodes', registers })
  new Gauge({
    name: 'headgate_waiting_requests',
    help: 'Requests that wait for the reply of a flow',
    registers,
    collect() {
      this.set(now.waitingReplies())
    },
  })
  new Gauge({
    name: 'headgate_running_jobs',
    help: 'Jobs that run in this process',
    registers,
    collect() {
      this.set(now.runningJobs())
    },
  })
  new Counter({
    name: 'headgate_dropped_runs_total',
    help: 'Runs that were not started since flows start each other too often',
    registers,
    collect() {
      this.reset()
      this.inc(now.droppedRuns())
    },
  })
  const requestsOf = childrenOf(requests)
  const runsOf = childrenOf(runs)
  return {
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
    request({ method, status, seconds }) {
      requestsOf(methods.has(method) ? method : 'other', `${Math.floor(status / 100)}xx`).observe(seconds)
    },
    run({ trigger, outcome }) {
      runsOf(trigger, outcome.status).observe(outcome.milliseconds / 1000)
      visits.inc(outcome.visitCount)
    },
    job: ({ kind, status, milliseconds }) => jobs.observe({ kind, status }, milliseconds / 1000),
  }
}

// Finding the child of two labels takes longer than counting in it, and is done for each request.
function childrenOf(histogram: Histogram<string>): (first: string, second: string) => Histogram.Internal<string> {
  const children = new Map<string, Map<string, Histogram.Internal<string>>>()
  return (first, second) => {
    const some = children.get(first) ?? new Map<string, Histogram.Internal<string>>()
    children.set(first, some)
    const child = some.get(second) ?? histogram.labels(first, second)
    some.set(second, child)
    return child
  }
}
