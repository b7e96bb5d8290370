import type { Connection, mongo } from 'mongoose';
import { currentContext } from '../context.ts';
import type { ActiveSpan } from './span.ts';
import { errorType } from './tracing.ts';

/**
 * Makes a span of each command that is sent for a request or message, by the driver's own command monitoring. It names
 * operation and collection; filters, updates and answers are in no span. Writes that were grouped belong to one of the
 * requests that they were grouped for.
 * @param connection opened with `monitorCommands`
 */
export function traceCommands(connection: Connection): void {
  const running = new Map<number, ActiveSpan>();
  connection.on('commandStarted', ({ requestId, commandName, command, databaseName }: mongo.CommandStartedEvent) => {
    const parent = currentContext()?.span;
    if (!parent) return;
    const collection = collectionOf(commandName, command);
    const size = (command.updates ?? command.documents ?? command.deletes)?.length;
    const span = parent.child(collection ? `${commandName} ${collection}` : commandName, {
      kind: 'client',
      attributes: {
        'db.system.name': 'mongodb',
        'db.namespace': databaseName,
        'db.operation.name': commandName,
        ...(collection ? { 'db.collection.name': collection } : {}),
        ...(size > 1 ? { 'db.operation.batch.size': size } : {}),
      },
    });
    running.set(requestId, span);
  });
  const end = (requestId: number, failure?: unknown): void => {
    const span = running.get(requestId);
    if (!span) return;
    running.delete(requestId);
    if (failure !== undefined) span.fail(errorType(failure));
    span.end();
  };
  connection.on('commandSucceeded', ({ requestId }: mongo.CommandSucceededEvent) => end(requestId));
  connection.on('commandFailed', ({ requestId, failure }: mongo.CommandFailedEvent) => end(requestId, failure));
}

function collectionOf(name: string, command: Record<string, unknown>): string | undefined {
  const collection = name === 'getMore' ? command.collection : command[name];
  return typeof collection === 'string' ? collection : undefined;
}
