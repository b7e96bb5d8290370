import { runService } from '@tradepost/shared/main';
import { createApp } from './app.ts';
import { settings } from './config.ts';

await runService({ name: 'order-service', settings, createApp });
