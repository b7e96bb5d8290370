/**
 * Medusa as its guide to production asks: with REDIS_URL its events, workflows, locks and cache on Redis, and a server and
 * a worker (WORKER_MODE); without, its defaults in memory, and one process for both.
 */
const { defineConfig } = require('@medusajs/framework/utils');

const redisUrl = process.env.REDIS_URL;

const onRedis = redisUrl => [
  {
    resolve: '@medusajs/medusa/caching',
    options: {
      providers: [{ resolve: '@medusajs/caching-redis', id: 'caching-redis', is_default: true, options: { redisUrl } }],
    },
  },
  { resolve: '@medusajs/medusa/event-bus-redis', options: { redisUrl } },
  { resolve: '@medusajs/medusa/workflow-engine-redis', options: { redis: { redisUrl } } },
  {
    resolve: '@medusajs/medusa/locking',
    options: {
      providers: [
        { resolve: '@medusajs/medusa/locking-redis', id: 'locking-redis', is_default: true, options: { redisUrl } },
      ],
    },
  },
];

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    ...(redisUrl ? { redisUrl } : {}),
    workerMode: process.env.WORKER_MODE,
    databaseLogging: false,
    http: {
      ...{ storeCors: 'http://localhost', adminCors: 'http://localhost', authCors: 'http://localhost' },
      ...{ jwtSecret: process.env.SECRET, cookieSecret: process.env.SECRET },
    },
  },
  admin: { disable: true },
  ...(redisUrl ? { modules: onRedis(redisUrl) } : {}),
});
