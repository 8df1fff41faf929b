import { expect, test } from 'vitest';
import { Notes } from '../src/notes.ts';

test('lines are shown at once, and those behind an awaited one after it', async () => {
  const shown: string[] = [];
  const notes = new Notes((line) => shown.push(line));
  const { promise, resolve } = Promise.withResolvers<string | null>();
  notes.add('a');
  notes.add(null);
  expect(shown).toEqual(['a']);
  notes.add(promise);
  notes.add('c');
  notes.add(Promise.resolve('d'));
  notes.add(Promise.resolve(null));
  notes.add('e');
  await Promise.resolve();
  expect(shown).toEqual(['a']);
  resolve('b');
  await notes.shown();
  expect(shown).toEqual(['a', 'b', 'c', 'd', 'e']);
  notes.add('f');
  expect(shown).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});
