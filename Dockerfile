# One image for every role: ROLE=web|worker|all. See docs/operations.md.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY engine engine
COPY nodes nodes
COPY server server
COPY schema schema
COPY flows flows
COPY examples examples
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
RUN mkdir -p /data node_modules/.cache/headgate && chown node:node /data node_modules/.cache/headgate
USER node
# Fills the compile cache, which is of this user and this Node: without it each start reads all TypeScript again.
RUN NODE_COMPILE_CACHE=node_modules/.cache/headgate node --import ./server/store/mongo.ts --import ./server/jobs/bullmq.ts --eval "" \
  && HOST=127.0.0.1 DATA_DIR=/tmp/warm timeout --preserve-status 10 node server/headgate.mjs start && rm -r /tmp/warm
VOLUME /data
# Requests, devices where MQTT_PORT=1883, mails where INBOUND_SMTP_PORT=2525.
EXPOSE 3000 1883 2525
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1: it gets the SIGTERM that lets requests and jobs end.
ENTRYPOINT ["node", "server/headgate.mjs"]
CMD ["start"]
