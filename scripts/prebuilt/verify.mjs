// Static checks of cross-built binaries, with Debian's `llvm`: architecture, format, what each wants of its system and of Node.
//   node scripts/prebuilt/verify.mjs [--only NAME,…]
// The names that a binary may want are listed in native/<addon>/symbols.txt, one on each line, sorted; --write writes the lists anew.
// --facts is for what each system's own compiler built: it links in other things, and on macOS takes the C++ runtime of the system.
// The last line is `N passed, N failed, N skipped`.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../tree.mjs';
import { builtFile, cache, listFile, plan, programFile, programsOf, targets } from './targets.mjs';

const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

const SYSTEM = ['/usr/lib/libSystem.B.dylib', '/usr/lib/libc++.1.dylib'];

function llvm(program, ...args) {
  return execFileSync(`llvm-${program}`, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const lines = (text) => text.split('\n').filter((line) => line.trim() !== '');

/** Names of Node-API up to the version that the addons ask for. */
function nodeNames() {
  const { symbols } = createRequire(join(root, 'package.json'))('node-api-headers');
  const names = new Set();
  for (let version = 1; version <= plan.napi; version += 1) {
    const { js_native_api_symbols = [], node_api_symbols = [] } = symbols[`v${version}`] ?? {};
    for (const name of [...js_native_api_symbols, ...node_api_symbols]) names.add(name);
  }
  return names;
}

const isNodeName = (name) => /^(napi|node_api)_/.test(name);

/** What a binary wants and offers: names without version and underscore, libraries, and what else is true of it. */
const readers = {
  linux(file, { folder, tag }) {
    const wanted = lines(llvm('nm', '-D', '--undefined-only', file)).map((line) =>
      line.trim().split(/\s+/).pop(),
    );
    const libraries = [...llvm('readobj', '--needed-libs', file).matchAll(/^\s+(\S+\.so\S*)$/gm)].map(
      ([, name]) => name,
    );
    const head = llvm('readobj', '--file-headers', file);
    const dynamic = llvm('readobj', '--dynamic-table', file);
    const newest = Math.max(0, ...wanted.map((name) => Number(/GLIBC_2\.(\d+)/.exec(name)?.[1] ?? 0)));
    const most = Number(plan.glibc.split('.')[1]);
    return {
      wanted: wanted.map((name) => name.replace(/@.*$/, '')),
      offered: lines(llvm('nm', '-D', '--defined-only', file)).map((line) =>
        line.split(' ').pop().replace(/@.*$/, ''),
      ),
      facts: [['architecture', (folder.endsWith('arm64') ? /EM_AARCH64/ : /EM_X86_64/).test(head)]],
      addonFacts: [
        ['bound at load, never unloaded', /NOW/.test(dynamic) && /NODELETE/.test(dynamic)],
        [
          `carries its C++ runtime (${libraries.join(' ')})`,
          !libraries.some((name) => /stdc\+\+|gcc_s|c\+\+/.test(name)),
        ],
        tag === 'musl'
          ? ['needs musl and nothing else', libraries.join() === 'libc.so']
          : [`wants glibc 2.${newest}, at most ${plan.glibc}`, newest <= most],
      ],
    };
  },

  darwin(file, { folder }) {
    const head = llvm('objdump', '--macho', '--private-headers', file);
    const arm = folder.endsWith('arm64');
    const wanted = lines(llvm('nm', '-m', '--undefined-only', file)).map((line) => {
      const [, name, from] = /external (\S+)(?: \((.*)\))?/.exec(line) ?? [];
      return { name: name.replace(/^_/, ''), from };
    });
    const libraries = [...head.matchAll(/LC_LOAD_DYLIB[\s\S]*?name (\S+)/g)].map(([, name]) => name);
    const looked = wanted.filter(({ from }) => from === 'dynamically looked up').map(({ name }) => name);
    return {
      wanted: wanted.map(({ name }) => name),
      offered: lines(llvm('nm', '-g', '--defined-only', file)).map((line) =>
        line.split(' ').pop().replace(/^_/, ''),
      ),
      facts: [
        ['architecture', (arm ? /ARM64/ : /X86_64/).test(head)],
        [`from macOS ${plan.macos} on`, new RegExp(`minos ${plan.macos.replace('.', '\\.')}`).test(head)],
        [
          `needs what each macOS has (${libraries.join(' ')})`,
          libraries.every((name) => SYSTEM.includes(name)),
        ],
        ...(arm ? [['signed ad hoc', /LC_CODE_SIGNATURE/.test(head)]] : []),
      ],
      ownFacts: () => [
        [
          'all others are in libSystem',
          wanted.every(({ name, from }) => isNodeName(name) || isSystemName(name, from)),
        ],
      ],
      addonFacts: [
        ['is a bundle', /\bBUNDLE\b/.test(head)],
        ['only Node-API is looked up in the program', looked.every(isNodeName)],
      ],
    };
  },

  win32(file, { folder }) {
    const head = llvm('readobj', '--file-headers', file);
    const imports = llvm('readobj', '--coff-imports', file);
    const libraries = [...imports.matchAll(/^ {2}Name: (\S+)/gm)].map(([, name]) => name);
    const wanted = [];
    for (const [, library, names] of imports.matchAll(/^ {2}Name: (\S+)$([\s\S]*?)^\}/gm))
      for (const [, name] of names.matchAll(/Symbol: (\S+)/g))
        wanted.push(isNodeName(name) ? name : `${library.toLowerCase()}!${name}`);
    return {
      wanted,
      offered: lines(llvm('readobj', '--coff-exports', file)).flatMap(
        (line) => /Name: (\S+)/.exec(line)?.[1] ?? [],
      ),
      // The unwinder that is linked in is offered, too: names of a library count in their own library only.
      alsoOffered: /^_?(_Unwind_|unw_|__|_?GCC_specific_handler$)/,
      facts: [
        ['architecture', (folder.endsWith('arm64') ? /MACHINE_ARM64/ : /MACHINE_AMD64/).test(head)],
        [
          `carries its C++ runtime (${libraries.join(' ')})`,
          !libraries.some((name) => /stdc|gcc|c\+\+|vcruntime|msvcp|winpthread/i.test(name)),
        ],
      ],
      addonFacts: [['imports node.exe', libraries.includes('node.exe')]],
    };
  },
};

let known;
function systemNames() {
  const stub = join(cache, `zig-linux-x64-${plan.zig.version}`, 'lib', 'libc', 'darwin', 'libSystem.tbd');
  known ??= new Set(readFileSync(stub, 'utf8').match(/[_$A-Za-z][\w$.]*/g));
  return known;
}

/** The binder of stubs has no underscore, unlike what C knows. */
function isSystemName(name, from) {
  return from === 'from libSystem' && (systemNames().has(`_${name}`) || name === 'dyld_stub_binder');
}

const byBytes = (one, other) => (one < other ? -1 : Number(one > other));

/** The binaries of a target: the addon first, then the programs beside it. */
function binariesOf(target) {
  const addon = builtFile(target);
  return [addon, ...programsOf(target).map((one) => join(dirname(addon), programFile(target, one)))];
}

export function verifyTargets(asked, { write = false, facts: only = false } = {}) {
  const results = { passed: 0, failed: 0, skipped: 0 };
  const wantedBy = new Map();
  const check = (target) => (name, holds) => {
    results[holds ? 'passed' : 'failed'] += 1;
    if (!holds) process.stderr.write(`  FAILED ${target.name}: ${name}\n`);
  };
  for (const target of asked) {
    const list = listFile(target);
    const names = wantedBy.get(list) ?? new Set();
    wantedBy.set(list, names);
    for (const name of binariesOf(target).flatMap((file) => wantedOf(file, target, only, check(target))))
      names.add(name);
    if (write || only) continue;
    const allowed = new Set(existsSync(list) ? lines(readFileSync(list, 'utf8')) : []);
    const unlisted = [...names].filter((name) => !allowed.has(name));
    check(target)(
      `wants only names of ${list.slice(root.length + 1)}: ${unlisted.join(' ')}`,
      !unlisted.length,
    );
  }
  if (write)
    for (const [list, names] of wantedBy) writeFileSync(list, `${[...names].sort(byBytes).join('\n')}\n`);
  return results;
}

/** What a binary wants of its system, after what it is was checked. */
function wantedOf(file, target, isForeign, check) {
  check(`${file} is there`, existsSync(file));
  if (!existsSync(file)) return [];
  const read = readers[target.folder.split('-')[0]](file, target);
  const isAddon = file.endsWith('.node');
  for (const [name, holds] of [...read.facts, ...(isAddon ? read.addonFacts : [])]) check(name, holds);
  if (!isForeign) for (const [name, holds] of read.ownFacts?.() ?? []) check(name, holds);
  if (isAddon) checkOffers(isForeign ? { alsoOffered: MANGLED, ...read } : read, check);
  return read.wanted.filter((name) => !isNodeName(name));
}

/** Templates of the C++ runtime that a compiler put into the addon. */
const MANGLED = /^_*Z/;

function checkOffers({ wanted, offered, alsoOffered }, check) {
  const node = nodeNames();
  const strange = wanted.filter((name) => isNodeName(name) && !node.has(name));
  check(`of Node only Node-API ${plan.napi}: ${strange.join(' ')}`, strange.length === 0);
  const extra = offered.filter((name) => !EXPORTS.includes(name) && !alsoOffered?.test(name));
  check(
    `offers what Node looks for and no more: ${extra.join(' ')}`,
    extra.length === 0 && EXPORTS.every((name) => offered.includes(name)),
  );
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, write: { type: 'boolean' }, facts: { type: 'boolean' } },
  });
  const { passed, failed, skipped } = verifyTargets(targets(values.only), values);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
