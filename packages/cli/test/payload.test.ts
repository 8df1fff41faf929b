import { expect, it } from 'vitest';
import { payloadText } from '../src/output/payload.ts';

it('of a payload that is told which has many parts, as the one that tells most', () => {
  const process = { pid: 17, startedAt: '4711' };
  expect(payloadText({ process, warning: null })).toBe('process=17');
  expect(payloadText({ exit: { code: 3, signal: null, usage: {} }, asked: false, remaining: [] })).toBe(
    'exit=3 asked=false',
  );
  expect(payloadText({ exit: { code: null, signal: 'SIGKILL' } })).toBe('exit=SIGKILL');
  expect(payloadText({ failure: { code: 'E_X', message: 'worker "a": it cannot' } })).toBe(
    'failure=it cannot',
  );
  expect(payloadText({ waiting: [{ id: 'db', condition: 'ready' }, { id: 'web' }] })).toBe('waiting=db,web');
  expect(payloadText({ value: 12.345678, detail: 'a\nb' })).toBe('value=12.3 detail=a b');
});
