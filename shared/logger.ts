import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { contextFields } from './context.ts';
import { masked, maskedText } from './masking.ts';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output, one per event, with the ids of the request, trace and order that they belong to. Secrets
 * and personal data are masked wherever they stand; of an error only its type, message and code are told, with those of
 * its causes, and from level `error` on its stack: a warning names the cause and no more.
 * @param level one of pino's levels, or `silent`
 */
export function createLogger(service: string, level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }), log: masked },
      serializers: { err: errorLine },
      mixin: contextFields,
      hooks: {
        logMethod(line, method, level) {
          const [fields] = line;
          if (level < stackFrom && hasError(fields)) line[0] = { ...fields, err: new Brief(fields.err) };
          method.apply(this, line);
        },
      },
    },
    // Lines of a moment are written together: a write for each costs more than the line.
    destination ?? pino.destination({ dest: 1, sync: false, minLength: 4_096, periodicFlush: 50 }),
  );
}

/** Level `error` as pino counts. */
const stackFrom = 50;

const hasError = (fields: unknown): fields is { err: Error } =>
  typeof fields === 'object' && fields !== null && (fields as { err?: unknown }).err instanceof Error;

/** An error whose stack is not told. */
class Brief {
  readonly error: Error;
  constructor(error: Error) {
    this.error = error;
  }
}

function errorLine(given: unknown): unknown {
  const withStack = !(given instanceof Brief);
  const error = given instanceof Brief ? given.error : given;
  if (!(error instanceof Error)) return masked({ error });
  const { type, message, stack } = stdSerializers.err(error);
  const { code } = error as { code?: unknown };
  return {
    type,
    message: maskedText(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(withStack ? { stack: maskedText(stack) } : {}),
  };
}

/** A logger that writes nothing, for tests. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
