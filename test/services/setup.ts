import type { TestProject } from 'vitest/node'
import { mongoService } from './mongo.ts'
import { redisService } from './redis.ts'
import type { Provided, Service } from './service.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    mongo: Provided
    redis: Provided
  }
}

const services = { mongo: mongoService, redis: redisService } satisfies Record<string, Service>

/** Before all tests: brings up what they use, as far as it can be had. Tests ask with `inject('redis')`, ... */
export async function setup(project: TestProject) {
  const stops: (() => Promise<void>)[] = []
  for (const [name, service] of Object.entries(services)) {
    const started = await service.start()
    if ('url' in started) stops.push(started.stop)
    project.provide(name as keyof typeof services, 'url' in started ? { url: started.url } : started)
  }
  return async () => {
    for (const stop of stops) await stop()
  }
}
