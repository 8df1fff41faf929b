import type { LookupFunction } from 'node:net';
import type { Milliseconds } from '@hsu-master/core';
import type { Address, AddressBook } from './address.ts';
import { type Answer, type Cancel, type CheckContext, describeError, failed } from './answer.ts';

/** A conversation over a socket: begins with addresses, answers once, and can be torn down at any time. */
export type Converse = (addresses: readonly Address[], answer: (answer: Answer) => void) => Cancel;

/**
 * Finds the addresses of `host` and converses with them, all within `timeout` of the clock. Whatever ends it (an answer, the
 * time-out, cancelling), the conversation is torn down and nothing later is heard.
 */
export function dial(
  host: string,
  timeout: Milliseconds,
  book: AddressBook,
  context: CheckContext,
  converse: Converse,
  lateAnswer: () => Answer,
  done: (answer: Answer) => void,
): Cancel {
  let over = false;
  let hangUp: Cancel | null = null;
  let stopFinding: Cancel | null = null;
  const stopTimer = context.clock.after(timeout, () => settle(lateAnswer()));
  const end = () => {
    over = true;
    stopTimer();
    stopFinding?.();
    hangUp?.();
  };
  const settle = (answer: Answer) => {
    if (over) return;
    end();
    done(answer);
  };
  stopFinding = book.find(host, context.clock, timeout / 2, (error, addresses) => {
    if (over) return;
    if (error !== null) {
      settle(failed(describeError(error)));
      return;
    }
    hangUp = converse(addresses, settle);
    if (over) hangUp();
  });
  return end;
}

/** Gives a socket the addresses that were found already. */
export function fixedLookup(addresses: readonly Address[]): LookupFunction {
  return (_host, options, answered) => {
    const first = addresses[0] as Address;
    if (options.all === true) answered(null, [...addresses]);
    else answered(null, first.address, first.family);
  };
}
