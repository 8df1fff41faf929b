import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '@hsu-master/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { terminalOutput } from '../../src/index.ts';
import { folder } from '../support/place.ts';

/** A pipe with both its ends in this process. */
function pipe(): { readonly writer: number; read(): string; closeReader(): void } {
  const path = join(folder(), 'pipe');
  execFileSync('/usr/bin/mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  let closed = false;
  const closeReader = () => {
    if (!closed) closeSync(reader);
    closed = true;
  };
  onTestFinished(() => {
    closeReader();
    closeSync(writer);
  });
  const buffer = Buffer.alloc(1024 * 1024);
  return {
    writer,
    closeReader,
    read() {
      try {
        return buffer.toString('latin1', 0, readSync(reader, buffer));
      } catch {
        return '';
      }
    },
  };
}

function open(fd: number) {
  const clock = new FakeClock();
  const seen = { drained: 0, gone: 0 };
  const output = terminalOutput({
    fd,
    clock,
    drained: () => void (seen.drained += 1),
    gone: () => void (seen.gone += 1),
  });
  return { clock, seen, output };
}

test('a reader that sleeps holds nobody; everything arrives in order when it wakes up', async () => {
  const { writer, ...reader } = pipe();
  const { clock, seen, output } = open(writer);
  let expected = '';
  for (let index = 0; ; index += 1) {
    const line = `${index} ${'x'.repeat(1000)}\n`;
    expected += line;
    if (!output.write(line)) break;
  }
  await expect.poll(() => clock.pending).toBe(1);
  expect(seen.drained).toBe(0);
  let arrived = '';
  await expect
    .poll(() => {
      arrived += reader.read();
      clock.advance(250);
      return arrived.length;
    })
    .toBe(expected.length);
  expect(arrived).toBe(expected);
  await expect.poll(() => seen).toEqual({ drained: 1, gone: 0 });
  expect(output.write('more\n')).toBe(true);
  await output.close();
  expect(reader.read()).toBe('more\n');
});

test('M1: a closed pipe is the end, told once and thrown nowhere', async () => {
  const { writer, ...reader } = pipe();
  const { seen, output } = open(writer);
  reader.closeReader();
  output.write('anybody there?\n');
  await expect.poll(() => seen.gone).toBe(1);
  expect(output.write('hello?\n')).toBe(true);
  await output.close();
  expect(seen).toEqual({ drained: 0, gone: 1 });
});

test('close gives up on a reader that sleeps for ever', async () => {
  const { writer } = pipe();
  const { clock, output } = open(writer);
  output.write('x'.repeat(500_000));
  await expect.poll(() => clock.pending).toBe(1);
  const closed = output.close(1000);
  clock.advance(1000);
  await closed;
  clock.advance(1000);
  expect(clock.pending).toBe(0);
});

test('a file is written where its descriptor stands', async () => {
  const path = join(folder(), 'out.txt');
  const fd = openSync(path, 'w');
  const { output } = open(fd);
  output.write('one\n');
  output.write('two\n');
  await output.close();
  closeSync(fd);
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
});
