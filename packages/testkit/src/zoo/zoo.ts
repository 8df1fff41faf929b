import type { SignalName } from '@hsu-master/core';
import { type FakeProgram, type FakeWriting, fakeProgram } from '../fake/program.ts';
import { creature } from './creature.ts';

/** A program that misbehaves in one way, for real hosts and for the fake one. */
export interface ZooProgram {
  readonly argv: readonly [string, ...string[]];
  readonly fake: FakeProgram;
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

function says(text: string, after = 0): FakeWriting {
  return { after, stream: 'stdout', text };
}

const sleeper = fakeProgram();
const stubborn = fakeProgram({ endsOnSignal: null });

/** Exits at once, before anybody can look at it. */
export function exitsAtOnce(code = 0): ZooProgram {
  return { argv: creature('exit', String(code)), fake: fakeProgram({ ends: { after: 0, exit: { code } } }) };
}

/** Dies of a signal that it sends itself. */
export function crashes(signal: SignalName = 'SIGABRT'): ZooProgram {
  return {
    argv: creature('crash', String(SIGNAL_NUMBERS[signal])),
    fake: fakeProgram({ ends: { after: 0, exit: { signal } } }),
  };
}

/** Says `up` and runs until it is asked to end. */
export function sleeps(): ZooProgram {
  return { argv: creature('print', 'up', 'sleep'), fake: fakeProgram({ writes: [says('up\n')] }) };
}

/** A8: says `up`; only SIGKILL ends it. */
export function ignoresSigterm(): ZooProgram {
  return {
    argv: creature('ignore', 'TERM', 'print', 'up', 'sleep'),
    fake: fakeProgram({ endsOnSignal: null, writes: [says('up\n')] }),
  };
}

/** Says `up`; takes `span` milliseconds to end after SIGTERM, and then chooses the code 0. */
export function endsSlowly(span: number): ZooProgram {
  return {
    argv: creature('on-term', '{', 'pause', String(span), 'exit', '0', '}', 'print', 'up', 'sleep'),
    fake: fakeProgram({ endsOnSignal: span, codeOnSignal: 0, writes: [says('up\n')] }),
  };
}

/** A7: the leader ends on SIGTERM, its child ignores it. The child says `up`. */
export function leaderEndsChildIgnores(): ZooProgram {
  return {
    argv: creature('child', '{', 'ignore', 'TERM', 'print', 'up', 'sleep', '}', 'sleep'),
    fake: fakeProgram({
      children: [{ after: 0, program: fakeProgram({ ...stubborn, writes: [says('up\n')] }) }],
    }),
  };
}

/** Three generations in one process group; the grandchild says `up`. */
export function threeGenerations(): ZooProgram {
  const grandchild = fakeProgram({ writes: [says('up\n')] });
  return {
    argv: creature('child', '{', 'child', '{', 'print', 'up', 'sleep', '}', 'sleep', '}', 'sleep'),
    fake: fakeProgram({
      children: [{ after: 0, program: fakeProgram({ children: [{ after: 0, program: grandchild }] }) }],
    }),
  };
}

/** A3: forks twice, in a session of its own; the leader exits 0 as soon as the daemon said `up`. */
export function doubleForkDaemon(): ZooProgram {
  return {
    argv: creature('orphan', '{', 'session', 'print', 'up', 'sleep', '}', 'pause', '50', 'exit', '0'),
    fake: fakeProgram({
      children: [{ after: 0, program: fakeProgram({ writes: [says('up\n')] }) }],
      ends: { after: 50, exit: { code: 0 } },
    }),
  };
}

/** Leaves a child in its own group behind and exits; the child says `up` first. */
export function leavesChild(code = 0): ZooProgram {
  return {
    argv: creature('child', '{', 'print', 'up', 'sleep', '}', 'pause', '50', 'exit', String(code)),
    fake: fakeProgram({
      children: [{ after: 0, program: fakeProgram({ writes: [says('up\n')] }) }],
      ends: { after: 50, exit: { code } },
    }),
  };
}

/** A6: a child in a session of its own, which says `up` and ignores SIGTERM; the leader stays. */
export function sessionEscapee(): ZooProgram {
  return {
    argv: creature('child', '{', 'session', 'ignore', 'TERM', 'print', 'up', 'sleep', '}', 'sleep'),
    fake: fakeProgram({
      children: [{ after: 0, program: fakeProgram({ ...stubborn, writes: [says('up\n')] }) }],
    }),
  };
}

/** A double-forked daemon that has blanked its environment, so that no mark in it can be read; the leader stays. */
export function wipedDaemon(): ZooProgram {
  return {
    argv: creature('orphan', '{', 'session', 'wipe', 'print', 'up', 'sleep', '}', 'sleep'),
    fake: fakeProgram({ children: [{ after: 0, program: fakeProgram({ writes: [says('up\n')] }) }] }),
  };
}

/** A11: exits at once; a child of another session holds its output open for `span` milliseconds. */
export function holdsOutput(span: number): ZooProgram {
  return {
    argv: creature(
      'child',
      '{',
      'session',
      'print',
      'up',
      'pause',
      String(span),
      '}',
      'pause',
      '50',
      'exit',
      '0',
    ),
    fake: fakeProgram({
      children: [
        {
          after: 0,
          program: fakeProgram({ writes: [says('up\n')], ends: { after: span, exit: { code: 0 } } }),
        },
      ],
      ends: { after: 50, exit: { code: 0 } },
    }),
  };
}

/** A9: says `up` and stops itself as SIGSTOP would. */
export function stopsItself(): ZooProgram {
  return { argv: creature('print', 'up', 'stop', 'sleep'), fake: fakeProgram({ writes: [says('up\n')] }) };
}

/** Writes without end. */
export function floods(): ZooProgram {
  const writes = Array.from({ length: 100 }, (_unused, index) => says(`${'x'.repeat(99)}\n`, index));
  return { argv: creature('flood'), fake: fakeProgram({ writes }) };
}

/** Writes a last line without its newline and crashes. */
export function lastWords(text: string): ZooProgram {
  return {
    argv: creature('partial', text, 'crash', '6'),
    fake: fakeProgram({ writes: [says(text)], ends: { after: 0, exit: { signal: 'SIGABRT' } } }),
  };
}

/** The byte that stands at `index` of what `writesBytes` writes. */
export function patternByte(index: number): number {
  return index % 251;
}

/** Writes `count` bytes of a pattern with all kinds of bytes in it, NUL included, and exits 0. */
export function writesBytes(count: number): ZooProgram {
  const text = Uint8Array.from({ length: count }, (_unused, index) => patternByte(index));
  return {
    argv: creature('bytes', String(count)),
    fake: fakeProgram({
      writes: [{ after: 0, stream: 'stdout', text }],
      ends: { after: 0, exit: { code: 0 } },
    }),
  };
}

/** Holds `mebibytes` of memory, says so and then `up`. */
export function hogsMemory(mebibytes: number): ZooProgram {
  return {
    argv: creature('hog', String(mebibytes), 'print', 'up', 'sleep'),
    fake: fakeProgram({ writes: [says(`hog ${mebibytes} ok\nup\n`)] }),
  };
}

/** A4: forks twice, waits `delay` milliseconds, then writes its pid file and says `up`; the leader is gone by then. */
export function pidFileDaemon(pidFile: string, delay: number): ZooProgram {
  return {
    argv: creature(
      'orphan',
      '{',
      'session',
      'pause',
      String(delay),
      'pidfile',
      pidFile,
      'print',
      'up',
      'sleep',
      '}',
      'exit',
      '0',
    ),
    fake: fakeProgram({ children: [{ after: 0, program: sleeper }], ends: { after: 1, exit: { code: 0 } } }),
  };
}

/** Says its working directory, the value of `variable`, that of HSU_RUN, and its pid, each on a line; exits 0. */
export function tellsItsSurroundings(variable: string): ZooProgram {
  return {
    argv: creature('cwd', 'env', variable, 'env', 'HSU_RUN', 'pid', 'exit', '0'),
    fake: fakeProgram({
      writes: ({ command, mark, process }) => [
        says(`${command.cwd}\n${command.env[variable] ?? '(unset)'}\n${mark}\n${process.pid}\n`),
      ],
      ends: { after: 0, exit: { code: 0 } },
    }),
  };
}

/** Says `text` on both streams and exits. */
export function talks(text: string, code = 0): ZooProgram {
  return {
    argv: creature('print', text, 'warn', text, 'exit', String(code)),
    fake: fakeProgram({
      writes: [says(`${text}\n`), { after: 0, stream: 'stderr', text: `${text}\n` }],
      ends: { after: 0, exit: { code } },
    }),
  };
}

/** Says its own pid and that of its child, each on a line, and runs. */
export function tellsPids(): ZooProgram {
  const writes: FakeProgram['writes'] = ({ process }) => [says(`${process.pid}\n`)];
  return {
    argv: creature('child', '{', 'pid', 'sleep', '}', 'pid', 'sleep'),
    fake: fakeProgram({ writes, children: [{ after: 0, program: fakeProgram({ writes }) }] }),
  };
}

/** A program that is not there. */
export function doesNotExist(): ZooProgram {
  const failure = { code: 'E_EXEC_NOT_FOUND', message: 'no such file' } as const;
  return {
    argv: ['/nonexistent/program'],
    fake: fakeProgram({ spawnFailure: { failure, transient: false } }),
  };
}

/**
 * An HTTP server on 127.0.0.1. `GET /health` answers 200 until `GET /become/<status>` changes it; `GET /hang` never answers.
 * Says `listening` when it does. Real hosts only.
 */
export function httpServer(node: string, port: number): readonly [string, ...string[]] {
  const program = `
    let status = 200;
    require('node:http').createServer((request, response) => {
      const become = /^\\/become\\/(\\d+)$/.exec(request.url);
      if (become) status = Number(become[1]);
      if (request.url === '/hang') return;
      response.writeHead(become ? 200 : status).end(String(status) + '\\n');
    }).listen(${port}, '127.0.0.1', () => console.log('listening'));`;
  return [node, '-e', program];
}
