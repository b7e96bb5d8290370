export { simulatedSleep as setTimeout } from './time.ts';
