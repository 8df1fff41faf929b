// Cross-builds the addons for all targets of native/targets.json on one Linux machine, the same bytes each time:
//   node scripts/prebuilt/build.mjs [--only NAME,…] [--force] [--twice]
// --twice builds each a second time, from other paths and without the compiler's cache of objects, and compares the bytes.
// Binaries go to .tools/prebuilt/<addon>/prebuilds/<platform>-<arch>/. What is linked for macOS needs Debian's `lld`.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StepFailed, seconds, step } from '../step.mjs';
import { root } from '../tree.mjs';
import {
  builtFile,
  cache,
  digestOf,
  exportsMap,
  installed,
  plan,
  programFile,
  recipes,
  targets,
} from './targets.mjs';
import { zig } from './zig.mjs';

const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
const apiHeaders = installed('node-api-headers', root).folder;

/** The same for all: another flag is another libc++, which takes half a minute to build. */
const COMMON = [
  '-std=c++20',
  '-O2',
  '-fexceptions',
  '-fvisibility=hidden',
  '-g0',
  '-DNDEBUG',
  '-Wall',
  '-Wextra',
];

class Build {
  /** `recipe`: the addon, or a program beside it. */
  constructor(target, compiler, tree, recipe) {
    this.target = target;
    this.compiler = compiler;
    this.tree = tree;
    this.recipe = recipe;
    this.isProgram = recipe.name !== recipes(target)[0].name;
    this.place = mkdtempSync(join(tmpdir(), 'hsu-build-'));
    this.system = target.folder.split('-')[0];
  }

  async run() {
    try {
      const objects = await this.compile();
      const file = join(this.place, `${this.recipe.name}.node`);
      await this[this.system](objects, file);
      return readFileSync(file);
    } finally {
      rmSync(this.place, { recursive: true, force: true });
    }
  }

  step(name, command) {
    const { env } = this.compiler;
    return step(`${this.target.name}: ${name}`, command, { cwd: this.folder, env, quiet: true });
  }

  get folder() {
    return join(this.tree, 'native', this.target.addon);
  }

  get flags() {
    return [
      ...COMMON,
      '-target',
      this.target.zig,
      ...(this.system === 'win32' ? [] : ['-fPIC']),
      ...(this.system === 'darwin' ? this.recipe.flags : []),
      ...this.recipe.includes.map((place) => `-I${place}`),
      `-I${join(apiHeaders, 'include')}`,
      `-I${installed('node-addon-api', this.target.source).folder}`,
      ...this.recipe.defines.map((name) => `-D${name}`),
      ...['NAPI_CPP_EXCEPTIONS', 'BUILDING_NODE_EXTENSION', `NODE_GYP_MODULE_NAME=${this.recipe.name}`].map(
        (name) => `-D${name}`,
      ),
      // Paths of this machine have no business in a binary.
      `-ffile-prefix-map=${this.tree}=.`,
      `-ffile-prefix-map=${root}=.`,
      `-ffile-prefix-map=${cache}=zig`,
    ];
  }

  async compile() {
    const jobs = this.recipe.sources.map((source, at) => ({ source, object: join(this.place, `${at}.o`) }));
    const waiting = [...jobs];
    const work = async () => {
      for (let job = waiting.shift(); job; job = waiting.shift())
        await this.step(job.source, [...this.translate(job.source), job.source, '-o', job.object]);
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    return jobs.map(({ object }) => object);
  }

  translate(source) {
    if (!source.endsWith('.c')) return [this.compiler.program, 'c++', '-c', ...this.flags];
    const isOfCpp = (flag) => /^-std=|^-fexceptions/.test(flag);
    return [this.compiler.program, 'cc', '-c', ...this.flags.filter((flag) => !isOfCpp(flag))];
  }

  async linux(objects, file) {
    const flags = [
      `-Wl,--version-script=${exportsMap}`,
      '-Wl,-z,now',
      '-Wl,-z,nodelete',
      '-Wl,--build-id=none',
    ];
    await this.#link([...objects, '-shared', '-s', ...flags, '-o', file]);
  }

  async win32(objects, file) {
    const machine = this.target.folder.endsWith('arm64') ? 'arm64' : 'i386:x86-64';
    const imports = [];
    for (const name of ['node_api', 'js_native_api']) {
      const library = join(this.place, `${name}.lib`);
      const definitions = join(apiHeaders, 'def', `${name}.def`);
      const words = ['-d', definitions, '-l', library, '-m', machine, '-D', 'node.exe'];
      await this.step('import library', [this.compiler.program, 'dlltool', ...words]);
      imports.push(library);
    }
    const kind = this.isProgram ? [] : ['-shared', ...imports];
    // Else the time of the build is in it.
    const flags = ['-s', '-Wl,-Brepro', ...this.recipe.libraries];
    await this.#link([...objects, ...kind, ...flags, '-o', file]);
  }

  /** A bundle with two exports, as node-gyp makes it on a Mac: zig's own linker makes a library that exports everything. */
  async darwin(objects, file) {
    const names = join(this.place, 'exports.txt');
    writeFileSync(names, EXPORTS.map((name) => `_${name}\n`).join(''));
    const words = [
      '-arch',
      this.target.folder.endsWith('arm64') ? 'arm64' : 'x86_64',
      '-platform_version',
      'macos',
      plan.macos,
      '15.1',
      ...(this.isProgram ? [] : ['-bundle', '-undefined', 'dynamic_lookup', '-exported_symbols_list', names]),
      '-dead_strip',
      '-x',
      '-adhoc_codesign',
      '-o',
      file,
      ...objects,
      ...(await this.#runtime(objects[0])),
      join(this.compiler.folder, 'lib', 'libc', 'darwin', 'libSystem.tbd'),
    ];
    await this.step('link', [appleLinker(), ...words]);
  }

  /** The static C++ runtime that zig builds for the target. */
  async #runtime(object) {
    const words = [
      '-target',
      this.target.zig,
      '-shared',
      '-Wl,-undefined,dynamic_lookup',
      '--verbose',
      object,
    ];
    const command = [this.compiler.program, 'c++', ...words, '-o', join(this.place, 'unused')];
    const { stdout, stderr, status } = spawnSync(command[0], command.slice(1), {
      cwd: this.folder,
      env: this.compiler.env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new StepFailed(`${this.target.name}: ${stderr}`);
    const libraries = `${stdout}${stderr}`.match(/\S+\.a(?=\s|$)/gm) ?? [];
    return [...new Set(libraries)].filter((path) => /libc\+\+|compiler_rt/.test(path));
  }

  #link(words) {
    return this.step('link', [this.compiler.program, 'c++', '-target', this.target.zig, ...words]);
  }
}

function appleLinker() {
  const found = ['ld64.lld', 'ld64.lld-19', 'ld64.lld-14'].find(
    (name) => !spawnSync(name, ['--version']).error,
  );
  if (!found) throw new StepFailed('ld64.lld is needed: apt-get install lld');
  return found;
}

/** The sources under another path. */
function copyOfTree() {
  const copy = mkdtempSync(join(tmpdir(), 'hsu-elsewhere-'));
  const isSource = (path) => !/\/(build|node_modules|prebuilds)$/.test(path);
  cpSync(join(root, 'native'), join(copy, 'native'), { recursive: true, filter: isSource });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** The addon and the programs beside it: the name of each file, and its bytes. */
async function buildAll(target, compiler, tree) {
  const made = new Map();
  for (const [at, recipe] of recipes(target).entries()) {
    const name = at === 0 ? basename(builtFile(target)) : programFile(target, recipe);
    made.set(name, await new Build(target, compiler, tree, recipe).run());
  }
  return made;
}

async function compareWithSecond(target, compiler) {
  const copy = copyOfTree();
  const fresh = { ...compiler, env: { ...compiler.env, ZIG_LOCAL_CACHE_DIR: join(copy, 'cache') } };
  try {
    const second = await buildAll(target, fresh, copy);
    for (const file of filesOf(target))
      if (sha256(second.get(basename(file))) !== sha256(readFileSync(file)))
        throw new StepFailed(`${target.name}: two builds of ${basename(file)} have different bytes`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Where each of a target's binaries lies: the addon first. */
const filesOf = (target) =>
  recipes(target).map((recipe, at) =>
    at === 0 ? builtFile(target) : join(dirname(builtFile(target)), programFile(target, recipe)),
  );

async function buildOne(target, compiler) {
  // Sources that change while they are compiled are compiled again the next time.
  const inputs = digestOf(target);
  const made = await buildAll(target, compiler, root);
  mkdirSync(dirname(builtFile(target)), { recursive: true });
  for (const file of filesOf(target))
    writeFileSync(file, made.get(basename(file)), { mode: file.endsWith('.node') ? 0o644 : 0o755 });
  writeFileSync(`${builtFile(target)}.inputs`, inputs);
}

function isCurrent(target) {
  const stamp = `${builtFile(target)}.inputs`;
  return (
    [stamp, ...filesOf(target)].every((file) => existsSync(file)) &&
    readFileSync(stamp, 'utf8') === digestOf(target)
  );
}

/** Builds what is not current. Throws StepFailed. */
export async function buildTargets(asked, { force = false, twice = false } = {}) {
  const compiler = await zig();
  for (const target of asked) {
    const since = performance.now();
    const asBefore = !force && isCurrent(target);
    if (!asBefore) await buildOne(target, compiler);
    if (twice) await compareWithSecond(target, compiler);
    const file = builtFile(target);
    const words = [
      target.name.padEnd(18),
      `${String(statSync(file).size).padStart(8)} bytes`,
      sha256(readFileSync(file)).slice(0, 16),
      asBefore ? 'as before' : 'built',
      ...(twice ? ['a second time the same'] : []),
      seconds(since),
    ];
    process.stderr.write(`  ${words.join('  ')}\n`);
  }
}

if (resolve(process.argv[1] ?? '') === import.meta.filename) {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, force: { type: 'boolean' }, twice: { type: 'boolean' } },
  });
  try {
    await buildTargets(targets(values.only), values);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
