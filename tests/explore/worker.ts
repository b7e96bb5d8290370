/** A thread that runs one schedule per message. Its clock and timers are the simulated ones. */
import './loader.ts';
import { parentPort } from 'node:worker_threads';

const { exploreSchedule } = await import('./explore.ts');

parentPort!.on('message', async (seed: number) => parentPort!.postMessage(await exploreSchedule(seed)));
