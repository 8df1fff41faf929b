import { FakeClock } from '@hsu-master/testkit';
import { expect, it } from 'vitest';
import { Mailbox } from '../src/mailbox.ts';
import { SpawnQueue } from '../src/spawn-queue.ts';

it('a single piece of work is done at once', () => {
  const queue = new SpawnQueue(new FakeClock());
  let done = 0;
  queue.add(() => {
    done += 1;
  });
  expect(done).toBe(1);
});

it('B9: a big set is done in order and in slices, and the event loop turns in between', () => {
  const clock = new FakeClock();
  let spent = 0;
  const queue = new SpawnQueue({
    now: () => spent,
    wallNow: () => 0,
    random: () => 0,
    after: (delay, fire) => clock.after(delay, fire),
  });
  const done: number[] = [];
  let turns = 0;
  for (let index = 0; index < 100; index += 1) {
    queue.add(() => {
      done.push(index);
      spent += 1;
    });
  }
  expect(done.length).toBeLessThan(20);
  while (clock.runNext()) turns += 1;
  expect(done).toEqual(Array.from({ length: 100 }, (_, index) => index));
  expect(turns).toBeGreaterThan(5);
});

it('the mailbox delivers what a turn posts after that turn, in order', () => {
  const mailbox = new Mailbox(() => {});
  const seen: string[] = [];
  mailbox.post(() => {
    mailbox.post(() => seen.push('b'));
    seen.push('a');
  });
  expect(seen).toEqual(['a', 'b']);
});

it('a turn that throws is reported and loses no other message', () => {
  const defects: unknown[] = [];
  const mailbox = new Mailbox((error) => defects.push(error));
  const seen: string[] = [];
  mailbox.post(() => {
    mailbox.post(() => seen.push('later'));
    throw new Error('defect');
  });
  expect(seen).toEqual(['later']);
  expect(defects).toHaveLength(1);
});
