import { join } from 'node:path'
import { writeGenerated } from './generate.ts'

// npm run generate
const count = await writeGenerated(join(import.meta.dirname, '../..'))
process.stdout.write(`${count} files written to schema and docs/nodes\n`)
