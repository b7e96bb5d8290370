/**
 * Loaded into a process that is to be profiled (`node --import`): profiles between one SIGUSR2 and the next, and writes
 * what it found to PROFILE_DIR, in a file of the process's id.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

const session = new Session();
let isOn = false;

process.on('SIGUSR2', async () => {
  isOn = !isOn;
  if (isOn) {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
  } else {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(join(process.env.PROFILE_DIR ?? '.', `${process.pid}.cpuprofile`), JSON.stringify(profile));
  }
});
