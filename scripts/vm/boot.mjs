// Boots the guest, runs one command in it and ends the machine.
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StepFailed } from '../step.mjs';
import { root } from '../tree.mjs';
import { image } from './image.mjs';

/** Begins the names of the folders of running machines; the pid of their owner follows. */
const STEM = 'hsu-vm-';

/** The guest gave no exit code: it hung, panicked or could not be started. */
export const NO_RESULT = 125;

/** Kernel options of each kind of guest. */
const kinds = {
  v2: ['vm.init=/sbin/vm-init', 'vm.cgroup=v2'],
  systemd: [
    'vm.init=/lib/systemd/systemd',
    'systemd.unit=vm.target',
    'systemd.show_status=0',
    'systemd.unified_cgroup_hierarchy=1',
  ],
  hybrid: ['vm.init=/sbin/vm-init', 'vm.cgroup=hybrid'],
  v1: ['vm.init=/sbin/vm-init', 'vm.cgroup=v1'],
};
export const kindNames = Object.keys(kinds);

/** Emulation unless told otherwise: a /dev/kvm that opens may still not boot anything. */
const accelerator = process.env.HSU_VM_ACCEL || 'tcg';

const virtiofsd = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'];

/**
 * Runs a bash script in a fresh guest, in the root of this tree, which is there under the path that it has here.
 * Writes go to the guest's memory.
 * @param {object} options
 * @param {'v2' | 'v1' | 'hybrid' | 'systemd'} options.kind what is PID 1 and how cgroups are mounted
 * @param {string} options.script for bash; a report written to $HSU_VM_REPORT is handed back
 * @param {number} options.limit seconds after which the machine is ended
 * @param {(text: Buffer) => void} options.onOutput
 * @returns {Promise<{code: number, report: string, uptime: number | null, console: string}>}
 *   the script's exit code, or 125 where there was none; `uptime` is the guest's when the script began, in seconds
 * @throws {StepFailed} where the machine cannot be built or started at all
 */
export async function boot({ kind, script, limit, onOutput }) {
  const files = await image();
  sweep();
  const place = mkdtempSync(join(tmpdir(), `${STEM}${process.pid}-`));
  const started = [];
  const end = () => {
    for (const child of started) child.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  };
  const interrupted = (signal) => {
    end();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.once(signal, interrupted);
  try {
    return await machine({ kind, script, limit, onOutput }, files, place, started);
  } finally {
    for (const signal of signals) process.off(signal, interrupted);
    end();
  }
}

/** What a run that was killed left behind; its programs died with it. */
function sweep() {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(STEM) ? Number.parseInt(name.slice(STEM.length), 10) : Number.NaN;
    if (pid > 0 && !existsSync(`/proc/${pid}`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function machine({ kind, script, limit, onOutput }, files, place, started) {
  writeFileSync(join(place, 'command'), script);
  writeFileSync(join(place, 'tree'), root);
  for (const name of ['init', 'job'])
    copyFileSync(join(root, 'scripts', 'vm', 'guest', `${name}.sh`), join(place, name));
  const out = await listen(join(place, 'out'), onOutput);
  let told = '';
  let finish = () => {};
  const finished = new Promise((resolve) => {
    finish = resolve;
  });
  const result = await listen(join(place, 'result'), (data) => {
    told += data.toString('latin1');
    if (told.endsWith('\nend of result\n')) finish('told');
  });
  const server = start(started, [
    virtiofsd.find((path) => existsSync(path)) ?? 'virtiofsd',
    `--socket-path=${join(place, 'fs')}`,
    '-o',
    `source=${root.replace(/[\\,]/g, '\\$&')},cache=always,sandbox=chroot`,
  ]);
  await appears(join(place, 'fs'), server);
  const qemu = start(started, ['qemu-system-x86_64', ...flags(kind, files, place)]);
  void qemu.ended.then(() => finish('ended'));
  const patience = setTimeout(() => finish('late'), limit * 1000);
  const why = await finished;
  clearTimeout(patience);
  qemu.child.kill('SIGKILL');
  await qemu.ended;
  await Promise.all([out.drained(), result.drained()]);
  const text = readConsole(place);
  if (why === 'told') return { ...parse(told), console: text };
  const tail = text.trimEnd().split('\n').slice(-30).join('\n');
  const story = why === 'late' ? `gave no result within ${limit} s` : 'ended without a result';
  onOutput(Buffer.from(`\nvm: the guest ${story}\n${qemu.said()}--- its console ends so:\n${tail}\n`));
  return { code: NO_RESULT, report: '', uptime: null, console: text };
}

function flags(kind, files, place) {
  const words = ['console=ttyS0', 'quiet', 'panic=-1', 'mitigations=off', 'nokaslr', 'audit=0', 'psi=1'];
  // The kernel counts ticks while it spins, and panics where a busy machine gave the guest none meanwhile.
  words.push('no_timer_check', 'tsc=reliable', 'clocksource=hpet', ...kinds[kind]);
  // A comma ends a value unless it is written twice.
  const comma = (path) => path.replaceAll(',', ',,');
  const at = (name) => comma(join(place, name));
  const disk = (name, file, serial) => [
    `-drive file=${comma(file)},if=none,id=${name},format=raw,snapshot=on,cache=unsafe`,
    `-device virtio-blk-pci,drive=${name},serial=${serial}`,
  ];
  const port = (name) => [
    `-chardev socket,id=${name},path=${at(name)}`,
    `-device virtserialport,chardev=${name},name=vm.${name}`,
  ];
  const kvm = accelerator === 'kvm';
  const options = [
    kvm ? '-accel kvm' : '-accel tcg,thread=multi',
    kvm ? '-cpu host' : '-cpu max',
    '-smp 2',
    '-m 2048M',
    // Shared with the process that serves the tree.
    '-object memory-backend-memfd,id=memory,size=2048M,share=on',
    '-numa node,memdev=memory',
    '-display none',
    '-no-reboot',
    '-nodefaults',
    `-kernel ${files.kernel}`,
    `-initrd ${files.first}`,
    `-append ${words.join(' ')}`,
    `-serial file:${join(place, 'console')}`,
    '-device virtio-rng-pci',
    ...disk('root', files.root, 'vmroot'),
    ...disk('disk', files.disk, 'vmdisk'),
    '-device virtio-serial-pci',
    ...port('out'),
    ...port('result'),
    ...['command', 'tree', 'init', 'job'].map((name) => `-fw_cfg name=opt/vm/${name},file=${at(name)}`),
    `-chardev socket,id=fs,path=${at('fs')}`,
    '-device vhost-user-fs-pci,chardev=fs,tag=vmtree',
  ];
  // An option's value is all behind its first space.
  return options.flatMap((option) => {
    const [name] = option.split(' ', 1);
    return option === name ? [name] : [name, option.slice(name.length + 1)];
  });
}

/** Dies with this process, also where that is killed. */
function start(started, [program, ...args]) {
  const command = ['--pdeathsig', 'KILL', program, ...args];
  const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let said = '';
  const hear = (data) => {
    said = `${said}${data}`.slice(-4000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      hear(`${error.message}\n`);
      resolve();
    });
    child.once('close', resolve);
  });
  return { child, ended, said: () => said };
}

/** A socket for QEMU to connect to; `drained` resolves when all that came was read, once QEMU has ended. */
async function listen(path, onData) {
  let closed = Promise.resolve();
  const server = createServer((socket) => {
    closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', onData).on('error', () => {});
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(path, resolve));
  const drained = async () => {
    server.close();
    await closed;
  };
  return { drained };
}

async function appears(path, { ended, said }) {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (const since = Date.now(); !existsSync(path); ) {
    if (over || Date.now() - since > 20_000) throw new StepFailed(`vm: virtiofsd does not start\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function readConsole(place) {
  const path = join(place, 'console');
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}

function parse(told) {
  const at = told.indexOf('\n');
  const [code, begun] = told.slice(0, at).split(' ').map(Number);
  const report = Buffer.from(told.slice(at + 1, -'\nend of result\n'.length), 'latin1').toString('utf8');
  return { code, report, uptime: begun };
}
