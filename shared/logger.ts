import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import { masked, maskedText } from './masking.ts';

export type { Logger } from 'pino';

/**
 * JSON lines on standard output, one per event. Secrets and personal data are masked wherever they stand; of an error
 * only its type, message, code and stack are told, with those of its causes.
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
    },
    destination ?? pino.destination({ dest: 1, sync: false }),
  );
}

function errorLine(error: unknown): unknown {
  if (!(error instanceof Error)) return masked({ error });
  const { type, message, stack } = stdSerializers.err(error);
  const { code } = error as { code?: unknown };
  return {
    type,
    message: maskedText(message),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: maskedText(stack),
  };
}

/** A logger that writes nothing, for tests. */
export const silentLogger = (): Logger => pino({ level: 'silent' });
