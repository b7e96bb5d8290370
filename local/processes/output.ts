import { styleText } from 'node:util';
import { consoleLog } from '../console.ts';

type Style = Parameters<typeof styleText>[0];

const colours: Style[] = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'red'];
const levelStyles: [RegExp, Style][] = [
  [/^\S+ (ERROR|FATAL)/, 'red'],
  [/^\S+ WARN/, 'yellow'],
  [/^\S+ (DEBUG|TRACE)/, 'dim'],
];

/** Where the log of one process goes: a prefix with its name in a colour of its own, then one line per record. */
export interface ProcessOutput {
  /** Takes a line as the process wrote it. */
  line(text: string): void;
}

/**
 * @param write takes finished lines
 * @param width of the longest name
 * @param stream decides by its kind and the environment (NO_COLOR, FORCE_COLOR) whether there are colours
 */
export function processOutput(
  write: (text: string) => void,
  name: string,
  index: number,
  width: number,
  stream: NodeJS.WritableStream,
): ProcessOutput {
  const style = (format: Style, text: string) => styleText(format, text, { stream });
  const prefix = style(colours[index % colours.length] ?? 'cyan', `${name.padEnd(width)} |`);
  const records = consoleLog(text => show(text.trimEnd()));
  function show(text: string): void {
    const oneLine = text.replace(/\s*\n\s*/g, ' ⏎ ');
    const [, format] = levelStyles.find(([pattern]) => pattern.test(oneLine)) ?? [];
    write(`${prefix} ${format ? style(format, oneLine) : oneLine}\n`);
  }
  return {
    line(text) {
      const record = recordOf(text);
      if (record) records.write(record);
      else if (text.trim() !== '') show(text);
    },
  };
}

/** The record without the name of its service, which the prefix says. What Node prints when a process breaks is none. */
function recordOf(text: string): string | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const { service, ...record } = JSON.parse(text);
    return typeof record.time === 'string' && typeof record.level === 'string' ? JSON.stringify(record) : undefined;
  } catch {
    return undefined;
  }
}
