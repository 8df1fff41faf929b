import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HsuError, type ListenSpec, type PortAnswer } from '@hsu-master/core';
import { loadNative } from '@hsu-master/native';
import { workerSpec } from '@hsu-master/testkit';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { portWithoutAddon } from '../src/host/node-ports.ts';
import { holderOf } from '../src/ports/holder.ts';
import { portMemory, shortMemory } from '../src/ports/port-memory.ts';
import { Ports } from '../src/ports/ports.ts';

const loaded = loadNative();
const LISTEN: ListenSpec = { range: null, argument: '--port', handOver: 'reserve', isUnit: true };
const spec = (id: string, differs: Partial<ListenSpec> = {}) =>
  workerSpec(id, { listen: { ...LISTEN, ...differs } });

/** A machine where these ports are taken. */
class Machine {
  readonly taken: Set<number>;
  readonly asked: number[] = [];
  constructor(taken: readonly number[] = []) {
    this.taken = new Set(taken);
  }
  reservePort(port: number): PortAnswer {
    this.asked.push(port);
    let got = port;
    if (port === 0) for (got = 40_000; this.taken.has(got); ) got += 1;
    if (this.taken.has(got)) return { ok: false, taken: true, reason: 'EADDRINUSE' };
    this.taken.add(got);
    return { ok: true, port: got, release: () => this.taken.delete(got) };
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'hsu-ports-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('ports of workers', () => {
  it('none is taken that others have, and no two get the same, whatever the ranges', () => {
    const range = fc.tuple(fc.nat({ max: 15 }), fc.nat({ max: 15 })).map(([first, more]) => ({
      first: 50_000 + first,
      last: 50_000 + first + more,
    }));
    const taken = fc.array(fc.nat({ max: 30 }).map((at) => 50_000 + at));
    fc.assert(
      fc.property(fc.array(fc.option(range), { maxLength: 25 }), taken, (ranges, strangers) => {
        const machine = new Machine(strangers);
        const ports = new Ports(machine);
        const given = ranges.map((within, at) => {
          try {
            return ports.assign(spec(`w${at}`, { range: within })).port;
          } catch (error) {
            expect((error as HsuError).code).toBe('E_PORT');
            return null;
          }
        });
        const got = given.filter((port) => port !== null);
        expect(new Set(got).size).toBe(got.length);
        expect(got.filter((port) => strangers.includes(port))).toEqual([]);
        ports.close();
        expect(machine.taken).toEqual(new Set(strangers));
      }),
    );
  });

  it('a worker keeps its port over restarts, and is told it each time', () => {
    const machine = new Machine();
    const ports = new Ports(machine);
    const first = ports.assign(spec('a'));
    expect(first).toMatchObject({
      port: 40_000,
      command: { argv: ['a', '--port', '40000'], env: { PORT: '40000' } },
      listens: [],
    });
    expect(ports.assign(spec('a'))).toEqual(first);
    expect(machine.asked).toEqual([0]);
    expect(ports.portOf(spec('a'))).toBe(40_000);
    expect(ports.assign(workerSpec('b'))).toMatchObject({ port: null, command: { argv: ['b'] } });
  });

  it('over masters too, where it is free; else it gets another', () => {
    const directory = join(folder(), 'ports');
    const master = (machine: Machine) => new Ports(machine, portMemory(directory));
    expect(master(new Machine()).assign(spec('a')).port).toBe(40_000);
    expect(master(new Machine()).portOf(spec('a'))).toBe(40_000);
    expect(master(new Machine([40_000])).assign(spec('a')).port).toBe(40_001);
    expect(master(new Machine()).assign(spec('a')).port).toBe(40_001);
    expect(readdirSync(directory)).toEqual(['a']);
  });

  it.each(['', 'x\n', '70000\n', '-1\n', '40000', '4e4\n', '40000\n\n'])(
    'what is remembered as %j is nothing',
    (text) => {
      const directory = folder();
      writeFileSync(join(directory, 'a'), text);
      expect(portMemory(directory).recall('a')).toBeNull();
    },
  );

  it('one that cannot be written down is not given', () => {
    const machine = new Machine();
    const memory = {
      ...shortMemory(),
      keep: () => {
        throw new Error('EROFS');
      },
    };
    expect(() => new Ports(machine, memory).assign(spec('a'))).toThrow(
      /its port 40000 cannot be written down: EROFS/,
    );
    expect(machine.taken.size).toBe(0);
  });

  it('a socket is asked for where it is to be handed over', () => {
    expect(new Ports(new Machine()).assign(spec('a', { handOver: 'socket' })).listens).toEqual([
      { address: '127.0.0.1', port: 40_000 },
    ]);
  });
});

describe.skipIf(!loaded.ok)('ports of this machine', () => {
  const host = {
    reservePort(port: number): PortAnswer {
      if (!loaded.ok) throw new Error(loaded.reason);
      const answer = loaded.native.reservePort(port);
      if (!answer.ok) return { ok: false, taken: answer.code === 'EADDRINUSE', reason: answer.code };
      return { ...answer, release: () => loaded.ok && loaded.native.releasePort(answer.reservation) };
    },
  };

  it('J1: a port that is taken is refused with who has it', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const ports = new Ports(host);
    onTestFinished(() => ports.close());
    // Not by the name of its first thread, which Node gives another.
    expect(holderOf(port)).toEqual({ pid: process.pid, name: expect.stringMatching(/^node/) });
    expect(() => ports.assign(spec('a', { range: { first: port, last: port } }))).toThrow(
      new RegExp(`^port ${port} is taken: pid ${process.pid} \\(.+\\) has ${port}$`),
    );
  });

  it('two masters never give the same', () => {
    const masters = [new Ports(host), new Ports(host)];
    onTestFinished(() => {
      for (const ports of masters) ports.close();
    });
    const range = { first: 24_000, last: 24_299 };
    const given = masters.flatMap((ports) =>
      Array.from({ length: 100 }, (_, at) => ports.assign(spec(`w${at}`, { range })).port),
    );
    expect(new Set(given).size).toBe(200);
  });

  it('without the addon one is chosen that nobody has', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    expect(portWithoutAddon(port, 0)).toMatchObject({ ok: false, taken: true });
    const chance = (port - 32_768) / (60_999 - 32_768 + 1);
    const answer = portWithoutAddon(0, chance);
    expect(answer.ok && answer.port).not.toBe(port);
    expect(answer.ok).toBe(true);
  });
});
