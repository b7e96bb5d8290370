import type { DestinationStream } from 'pino';

interface Entry {
  time: string;
  level: string;
  service?: string;
  msg?: string;
  err?: { type?: string; message?: string; stack?: string };
  [field: string]: unknown;
}

const hidden = new Set(['time', 'level', 'service', 'msg', 'err', 'pid', 'hostname', 'traceId']);

/** Writes log entries as short lines for a person at a terminal: time, level, service, text, the rest as key=value. */
export function consoleLog(write: (text: string) => void): DestinationStream {
  return { write: line => write(`${shortLine(JSON.parse(line))}\n`) };
}

function shortLine(entry: Entry): string {
  const rest = Object.entries(entry)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const head = [entry.time.slice(11, 19), entry.level.toUpperCase().padEnd(5), entry.service ?? '', entry.msg ?? ''];
  return [...head, ...rest, ...errorOf(entry)].filter(part => part !== '').join(' ');
}

/** A stack helps with what is our own fault; a warning names the cause and no more. */
function errorOf({ err, level }: Entry): string[] {
  // That of a request's own line is made up where the answer is logged; its cause has a line to itself.
  if (!err || err.message?.startsWith('failed with status code')) return [];
  return [level === 'error' || level === 'fatal' ? `\n${err.stack ?? err.message}` : `(${err.type}: ${err.message})`];
}
