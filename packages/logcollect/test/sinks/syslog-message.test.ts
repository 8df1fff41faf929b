import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/record.ts';
import { type SyslogMessageSpec, syslogMessage } from '../../src/sinks/syslog-message.ts';
import { record } from '../support/records.ts';

const spec: SyslogMessageSpec = {
  standard: 'rfc5424',
  facility: 'daemon',
  host: 'box.example',
  appName: null,
  structuredData: null,
  maxBytes: 8192,
  oneLine: false,
  format: ({ text }) => text,
};
const message = (over: Partial<LogRecord>, settings: Partial<SyslogMessageSpec> = {}) =>
  syslogMessage(record(over), { ...spec, ...settings }).toString();

test('RFC 5424: priority, version, time, host, app, run, stream, data, text', () => {
  expect(message({ level: 'notice', text: 'hello', run: 7 })).toBe(
    '<29>1 2026-11-21T12:00:00.250Z box.example web 7 stdout - hello',
  );
});

test('RFC 3164: local time, short host, tag', () => {
  const at = new Date(2026, 2, 5, 7, 8, 9).getTime();
  const settings = { standard: 'rfc3164', appName: 'my app: [x]' } as const;
  expect(message({ at }, settings)).toBe('<30>Mar  5 07:08:09 box my_app___x_[1]: listening');
  expect(message({ at }, { ...settings, host: null })).toBe('<30>Mar  5 07:08:09 my_app___x_[1]: listening');
});

test('the severity is the level’s, else the stream’s', () => {
  const priority = (over: Partial<LogRecord>) => Number(/^<(\d+)>/.exec(message(over))?.[1]) - 24;
  const levels = [
    'emergency',
    'alert',
    'critical',
    'error',
    'warn',
    'notice',
    'info',
    'debug',
    'trace',
  ] as const;
  expect(levels.map((level) => priority({ level }))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 7]);
  expect([priority({}), priority({ stream: 'stderr' })]).toEqual([6, 3]);
});

test('nothing in a line can end a message or begin another', () => {
  const text = 'a\0b\r\n<0>1 - - - - - - forged';
  const framed = message({ text }, { oneLine: true });
  expect(framed).not.toContain('\n');
  expect(framed.endsWith('a#000b\r#012<0>1 - - - - - - forged')).toBe(true);
  expect(message({ text })).toContain('\n');
  const names = message(
    { workerId: 'ü b', fields: { 'a b]': 'x\n]"\\' } },
    { structuredData: 'id@1', oneLine: false },
  );
  expect(names).toContain(' __b 1 stdout [id@1 worker="ü b" seq="1" a_b_="x#012\\]\\"\\\\"] ');
});

test('a long message is cut between two characters, and says so', () => {
  const bytes = syslogMessage(record({ text: '🙂'.repeat(300) }), { ...spec, maxBytes: 500 });
  expect(bytes.length).toBeLessThanOrEqual(500);
  expect(bytes.length).toBeGreaterThan(490);
  expect(bytes.toString()).toMatch(/🙂…$/u);
  expect(bytes.toString()).not.toContain('\u{fffd}');
});
