import type { AddressInfo } from 'node:net'
import express from 'express'

// What a flow of one Mutate node does, on Express alone. Without an ETag, as replies of flows have none.
const app = express()
app.disable('etag')
app.disable('x-powered-by')
app.post('/trivial', express.json(), (request, response) => {
  request.body.seen = true
  response.json(request.body)
})
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
process.once('SIGTERM', () => process.exit(0))
