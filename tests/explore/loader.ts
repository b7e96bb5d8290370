import { registerHooks } from 'node:module';

/** What the explored code gets instead: it sleeps on the simulated clock, and opens no ports. */
const instead: Record<string, string> = {
  'node:timers/promises': './sleep.ts',
  './http/server.ts': './server.ts',
};

// Must be imported before any of the explored code.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const other = instead[specifier];
    if (other && context.parentURL !== undefined && !context.parentURL.includes('/node_modules/')) {
      return { url: new URL(other, import.meta.url).href, shortCircuit: true };
    }
    return nextResolve(specifier, context);
  },
});
