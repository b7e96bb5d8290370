import type { Clock } from '@tradepost/shared/clock';
import { currentContext } from '@tradepost/shared/context';
import { userDeleted, userRegistered, userSessionsRevoked } from '@tradepost/shared/events/users';
import type { NewId } from '@tradepost/shared/ids';
import { createMessage, type Message, type MessageDefinition } from '@tradepost/shared/messaging/message';
import type { Revocation } from '@tradepost/shared/revocations';

/** Makes the messages that use cases push into the outbox of the document they change. */
export interface Publishers {
  userRegistered(userId: string): Message;
  userDeleted(userId: string): Message;
  sessionsRevoked(revocation: Revocation): Message;
}

export function createPublishers({ clock, newId }: { clock: Clock; newId: NewId }): Publishers {
  const make = <Data>(definition: MessageDefinition<Data>, userId: string, data: Data) =>
    createMessage(definition, {
      id: newId(),
      source: 'user-service',
      subject: userId,
      at: clock(),
      traceparent: currentContext()?.traceparent,
      data,
    });
  return {
    userRegistered: userId => make(userRegistered, userId, { userId }),
    userDeleted: userId => make(userDeleted, userId, { userId }),
    sessionsRevoked: revocation =>
      make(userSessionsRevoked, revocation.userId, {
        ...revocation,
        sessionIds: revocation.sessionIds && [...revocation.sessionIds],
      }),
  };
}
