import type { Check, Milliseconds } from '@hsu-master/core';
import { formatDuration } from '@hsu-master/core';
import type { AddressBook } from './address.ts';
import { type Answer, type Cancel, type CheckContext, describeError, failed, passed } from './answer.ts';
import { dial, fixedLookup } from './dial.ts';

/** Passes when a connection is accepted; it is closed at once, nothing is sent. */
export function checkTcp(
  check: Extract<Check, { type: 'tcp' }>,
  timeout: Milliseconds,
  book: AddressBook,
  context: CheckContext,
  done: (answer: Answer) => void,
): Cancel {
  const place = check.host.includes(':') ? `[${check.host}]:${check.port}` : `${check.host}:${check.port}`;
  return dial(
    check.host,
    timeout,
    book,
    context,
    (addresses, answer) => {
      const { connect } = process.getBuiltinModule('node:net');
      const socket = connect({
        host: check.host,
        port: check.port,
        lookup: fixedLookup(addresses),
        autoSelectFamily: true,
      });
      socket.on('connect', () => answer(passed(`connected to ${place}`)));
      socket.on('error', (error) => answer(failed(describeError(error))));
      return () => socket.destroy();
    },
    () => failed(`no connection to ${place} within ${formatDuration(timeout)}`),
    done,
  );
}
