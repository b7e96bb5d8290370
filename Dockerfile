# The image of every service: SERVICE names its workspace. One file for all, because builders may take two Dockerfiles of
# the same size and time in one context for the same.
ARG SERVICE=gateway

# The packages of this one workspace, in a layer that only a change of packages makes anew.
FROM node:24-bookworm-slim AS packages
ARG SERVICE
WORKDIR /app
COPY package.json package-lock.json ./
COPY shared/package.json shared/
COPY gateway/package.json gateway/
COPY user-service/package.json user-service/
COPY product-service/package.json product-service/
COPY inventory-service/package.json inventory-service/
COPY order-service/package.json order-service/
COPY payment-service/package.json payment-service/
COPY local/package.json local/
RUN --mount=type=cache,target=/root/.npm \
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund --workspace @tradepost/shared --workspace @tradepost/$SERVICE

FROM node:24-bookworm-slim
ARG SERVICE
ENV NODE_ENV=production
WORKDIR /app
RUN install -d -o node -g node .cache .data
COPY --from=packages /app ./
COPY docs/openapi.json docs/
COPY shared shared
COPY $SERVICE $SERVICE
WORKDIR /app/$SERVICE
USER node
ENV NODE_COMPILE_CACHE=/app/.cache
# Every module once, compiled, so that a start takes half the time: without settings a service says so and ends.
RUN node src/index.ts 2>/dev/null || true
# By bash alone and not too often: each look takes a process, and a Node more than the service itself while it is idle.
HEALTHCHECK --interval=10s --timeout=5s --retries=3 --start-period=120s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${PORT:-3000} && printf 'GET /health/ready HTTP/1.0\r\n\r\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
# Room for young objects would else grow to 128 MB and count against --max-old-space-size: V8 collects without end then.
CMD ["node", "--max-semi-space-size=8", "src/index.ts"]
