import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** What a file is, as far as executing it is concerned. */
export type ProgramFile =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'special' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'script'; readonly interpreter: string; readonly carriageReturn: boolean }
  /** No shebang line; a shell can try. */
  | { readonly kind: 'text' }
  | { readonly kind: 'elf'; readonly architecture: string; readonly loader: string | null }
  /** Made for another operating system. */
  | { readonly kind: 'foreign'; readonly system: 'macOS' }
  | { readonly kind: 'foreign'; readonly system: 'Windows'; readonly architecture: string }
  | { readonly kind: 'garbage' };

/** How much of a file is read. The kernel looks at 256 bytes for a shebang; ELF headers name their loader further on. */
const HEAD = 4096;
const SCRIPT_HEAD = 256;

/** EM_* of elf.h, by the names that Node gives architectures. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mips',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};

/** IMAGE_FILE_MACHINE_* of winnt.h. */
const PE_MACHINES: Readonly<Record<number, string>> = { 0x14c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' };

/** Looks into a file without running it. Never throws. */
export function inspectProgram(file: string): ProgramFile {
  try {
    const entry = statSync(file);
    if (entry.isDirectory()) return { kind: 'directory' };
    if (!entry.isFile()) return { kind: 'special' };
    return classify(readHead(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable' };
  }
}

function readHead(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const head = Buffer.alloc(HEAD);
    return head.subarray(0, readSync(fd, head, 0, HEAD, 0));
  } finally {
    closeSync(fd);
  }
}

function classify(head: Buffer): ProgramFile {
  if (head.length === 0) return { kind: 'empty' };
  if (head.subarray(0, 2).toString('latin1') === '#!') return readShebang(head);
  if (head.length >= 20 && head.readUInt32BE(0) === 0x7f454c46) return readElf(head);
  if (head.subarray(0, 2).toString('latin1') === 'MZ') return readPortableExecutable(head);
  const magic = head.length >= 4 ? head.readUInt32LE(0) : 0;
  if (magic === 0xfeedfacf || magic === 0xfeedface || magic === 0xbebafeca)
    return { kind: 'foreign', system: 'macOS' };
  return isText(head.subarray(0, SCRIPT_HEAD)) ? { kind: 'text' } : { kind: 'garbage' };
}

function readShebang(head: Buffer): ProgramFile {
  const line = head.subarray(2, SCRIPT_HEAD).toString('utf8').split('\n', 1)[0] ?? '';
  const carriageReturn = line.endsWith('\r');
  const interpreter = line.trim().split(/[ \t]/, 1)[0] ?? '';
  return interpreter === '' ? { kind: 'garbage' } : { kind: 'script', interpreter, carriageReturn };
}

/** Control characters other than the ones that texts have mean that it is none. */
function isText(head: Buffer): boolean {
  return !head.some((byte) => byte < 7 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127);
}

function readPortableExecutable(head: Buffer): ProgramFile {
  const machine = head.length >= 64 ? head.readUInt32LE(0x3c) + 4 : head.length;
  const number = machine + 2 <= head.length ? head.readUInt16LE(machine) : 0;
  const architecture = PE_MACHINES[number] ?? `machine ${number}`;
  return { kind: 'foreign', system: 'Windows', architecture };
}

function readElf(head: Buffer): ProgramFile {
  const wide = head[4] === 2;
  const little = head[5] === 1;
  const half = (at: number) => (little ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const word = (at: number) => (little ? head.readUInt32LE(at) : head.readUInt32BE(at));
  // Sizes and offsets beyond 32 bits cannot lie within the part that was read, so the low half tells enough.
  const long = (at: number) => (wide ? word(little ? at : at + 4) : word(at));
  const architecture = MACHINES[half(18)] ?? `machine ${half(18)}`;
  try {
    const table = long(wide ? 32 : 28);
    const size = half(wide ? 54 : 42);
    const count = half(wide ? 56 : 44);
    for (let index = 0; index < count; index += 1) {
      const entry = table + index * size;
      if (word(entry) !== 3) continue;
      const offset = long(entry + (wide ? 8 : 4));
      const length = long(entry + (wide ? 32 : 16));
      const loader = head
        .subarray(offset, offset + length)
        .toString('latin1')
        .replace(/\0.*$/s, '');
      return { kind: 'elf', architecture, loader: loader === '' ? null : loader };
    }
  } catch {
    // A damaged header: the machine is known all the same.
  }
  return { kind: 'elf', architecture, loader: null };
}
