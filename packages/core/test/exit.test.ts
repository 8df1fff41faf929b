import { describe, expect, test } from 'vitest';
import { describeExit, isSuccess } from '../src/worker/exit.ts';
import { exit } from './rig.ts';

describe('D5: an exit in words', () => {
  test.each([
    [{ code: 0 }, 'exit 0'],
    [{ code: 1 }, 'exit 1'],
    [{ code: 128 }, 'exit 128'],
    [{ code: 129 }, 'exit 129 (SIGHUP in a shell’s convention)'],
    [{ code: 130 }, 'exit 130 (SIGINT in a shell’s convention)'],
    [{ code: 131 }, 'exit 131 (SIGQUIT in a shell’s convention)'],
    [{ code: 134 }, 'exit 134 (SIGABRT in a shell’s convention)'],
    [{ code: 137 }, 'exit 137 (SIGKILL in a shell’s convention)'],
    [{ code: 139 }, 'exit 139 (SIGSEGV in a shell’s convention)'],
    [{ code: 141 }, 'exit 141 (SIGPIPE in a shell’s convention)'],
    [{ code: 143 }, 'exit 143 (SIGTERM in a shell’s convention)'],
    [{ code: 160 }, 'exit 160'],
    [{ code: 255 }, 'exit 255'],
    [{ signal: 'SIGKILL' as const }, 'killed by SIGKILL'],
    [{ signal: 'SIGSEGV' as const, coreDumped: true }, 'killed by SIGSEGV (core dumped)'],
    [{}, 'exit unknown'],
    [{ code: 0xc0000005 }, 'exit 0xC0000005 (access violation)'],
    [{ code: 0xc000013a }, 'exit 0xC000013A (Ctrl-C)'],
    [{ code: -1073741510 }, 'exit 0xC000013A (Ctrl-C)'],
    [{ code: 0xc000001d }, 'exit 0xC000001D (illegal instruction)'],
    [{ code: 0xc0000094 }, 'exit 0xC0000094 (integer division by zero)'],
    [{ code: 0xc00000fd }, 'exit 0xC00000FD (stack overflow)'],
    [{ code: 0xc0000135 }, 'exit 0xC0000135 (DLL not found)'],
    [{ code: 0xc0000142 }, 'exit 0xC0000142 (DLL initialisation failed)'],
    [{ code: 0xc0000409 }, 'exit 0xC0000409 (stack buffer overrun or fast fail)'],
  ])('%o', (differs, text) => expect(describeExit(exit(differs))).toBe(text));
});

describe('D5: what counts as success', () => {
  test.each([
    [{ code: 0 }, [0], true],
    [{ code: 0 }, [], false],
    [{ code: 2 }, [0, 2], true],
    [{ code: 143 }, [0], false],
    [{ code: 143 }, [0, 143], true],
    [{ signal: 'SIGTERM' as const }, [0], false],
    [{}, [0], false],
  ])('%o with success codes %j: %s', (differs, codes, success) =>
    expect(isSuccess(exit(differs), codes)).toBe(success),
  );
});
