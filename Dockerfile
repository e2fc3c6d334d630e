# syntax=docker/dockerfile:1
# One image for every process. It starts them as everybody does, by running their TypeScript with the Node that package.json pins; compose says
# which one, and without a word it is the whole system in one process.

FROM node:24.21.0-bookworm-slim AS install
WORKDIR /app
# The workspace stays as it is: Node strips types of files in packages/ and services/, but refuses to under node_modules.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages packages
COPY services services
# Only what the services need, at the versions of the lockfile; the Node of this image stands in for the one that development installs.
RUN npx --yes pnpm@12.21.0 install --frozen-lockfile --prod --filter '{./services/*}...'

FROM node:24.21.0-bookworm-slim
WORKDIR /app
COPY --from=install /app ./
COPY schemas schemas
COPY scripts/probe.ts scripts/probe.ts
# The only place that is written to, and only by the process that runs everything: a volume put here belongs to the same user.
RUN mkdir /data && chown 10001:10001 /data
USER 10001:10001
ENV NODE_ENV=production TOUCHSTONE_DATA=/data HOST=0.0.0.0 PORT=8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10m --start-interval=2s CMD ["node", "scripts/probe.ts", "/readyz"]
CMD ["node", "services/standalone/src/main.ts"]
