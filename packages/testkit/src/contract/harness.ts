import { spawn } from 'node:child_process';
import type { Host, ProcessIdentity } from '@hsu-master/core';
import { FakeClock } from '../fake/clock.ts';
import { FakeHost, programsByName } from '../fake/host.ts';
import { type FakeProgram, fakeExit } from '../fake/program.ts';
import { identityOf } from '../fake/run.ts';
import { FakeSystem } from '../fake/system.ts';
import type { ZooProgram } from '../zoo/zoo.ts';

/** What differs between hosts that all keep the contract. */
export interface HostFeatures {
  /** `record` runs before the program does; without it the program may have begun, and is ended when `record` throws. */
  readonly gate: boolean;
  /** Members in a session of their own are found. */
  readonly findsSessions: boolean;
  /** So are double-forked daemons that have blanked their environment while their leader lived. */
  readonly findsWiped: boolean;
  /** `follow` works. */
  readonly follows: boolean;
  /** `attach` works. */
  readonly attaches: boolean;
  /** Programs can end by signals; else why not. */
  readonly signals: true | string;
  /** Who has stopped itself hears that it is asked to end; else why not. */
  readonly wakesStopped: true | string;
}

/** A host and what the contract suite needs beside it. */
export interface HostHarness {
  readonly host: Host;
  /** A directory that every machine has. */
  readonly directory: string;
  /** The command line under which this host knows a program. */
  argv(program: ZooProgram): readonly [string, ...string[]];
  /** Starts a process that the host did not start, with `mark` in its environment. */
  stranger(program: ZooProgram, mark: string): ProcessIdentity;
  /** Ends a process without the host’s help. */
  end(process: ProcessIdentity): void;
  /** Lets go of everything, the host included. */
  close(): void;
}

/** For a host that runs real programs. */
export function realHarness(host: Host): HostHarness {
  return {
    host,
    directory: '/usr',
    argv: (program) => program.argv,
    stranger(program, mark) {
      // It begins when it has been identified: one that ends soon might be gone before.
      const child = spawn('sh', ['-c', 'read go; exec "$@" < /dev/null', 'sh', ...program.argv], {
        detached: true,
        stdio: ['pipe', 'ignore', 'ignore'],
        env: { ...process.env, HSU_RUN: mark },
      });
      const identity = child.pid === undefined ? null : host.identify(child.pid);
      if (identity === null) throw new Error(`cannot start ${program.argv[0]}`);
      child.stdin.on('error', () => undefined).end('go\n');
      return identity;
    },
    end({ pid }) {
      process.kill(pid, 'SIGKILL');
    },
    close: () => host.close(),
  };
}

/** For the fake host; its time passes by itself, timer after timer, as fast as the event loop turns. */
export function fakeHarness(): HostHarness {
  const clock = new FakeClock();
  const system = new FakeSystem(clock);
  const programs: Record<string, FakeProgram> = {};
  const host = new FakeHost(system, programsByName(programs));
  let turning = setImmediate(turn);
  function turn(): void {
    clock.runNext();
    turning = setImmediate(turn);
  }
  let names = 0;
  return {
    host,
    directory: '/usr',
    argv(program) {
      names += 1;
      programs[`zoo-${names}`] = program.fake;
      return [`zoo-${names}`];
    },
    stranger(program, mark) {
      const process = system.create({ mark, workerId: null, run: 0 }, program.fake, null);
      system.begin(process);
      return identityOf(process);
    },
    end({ pid }) {
      const process = system.find(pid);
      if (process !== null) system.end(process, fakeExit({ signal: 'SIGKILL' }));
    },
    close() {
      host.close();
      clearImmediate(turning);
    },
  };
}
