// Builds the guest once: a Debian kernel, a small first stage, a root disk and a data disk. Everything from Debian.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installPackages } from '../debian.mjs';
import { StepFailed, step } from '../step.mjs';
import { root } from '../tree.mjs';

const scripts = join(root, 'scripts', 'vm');

/** What the host needs. */
const hostPackages = ['qemu-system-x86', 'mmdebstrap', 'e2fsprogs', 'cpio', 'kmod', 'eatmydata'];

/** What the guest has: enough for Node, for systemd and its user manager, for containers, and for looking around. */
const guestPackages =
  'kmod,procps,util-linux,iproute2,libstdc++6,libatomic1,' +
  'systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,runc';

/** What the first stage needs to find its disks and the host's tree. */
const modules = ['virtio_pci', 'virtio_blk', 'virtio_console', 'qemu_fw_cfg', 'virtiofs', 'overlay'];

/** Units that would only take time. */
const silent = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'systemd-timesyncd.service',
  'getty@tty1.service',
  'serial-getty@ttyS0.service',
];

/** The ordinary user of the guest. */
const USER = { name: 'ordinary', uid: 1000 };

const jobUnit = `[Unit]
Description=The command given by the host
After=multi-user.target systemd-user-sessions.service
[Service]
Type=oneshot
ExecStart=/sbin/vm-job
StandardOutput=null
StandardError=null
TimeoutStartSec=infinity
Delegate=yes
`;

const jobTarget = `[Unit]
Requires=multi-user.target vm-job.service
After=multi-user.target
AllowIsolate=yes
`;

/** Where images are kept: $HSU_VM_DIR, else $XDG_CACHE_HOME/hsu-master/vm. */
export function cacheFolder() {
  const { HSU_VM_DIR, XDG_CACHE_HOME } = process.env;
  return HSU_VM_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'hsu-master', 'vm');
}

/**
 * The guest's files, built when they are missing or these scripts have changed.
 * @returns {Promise<{kernel: string, first: string, root: string, disk: string}>}
 * @throws {StepFailed} where it cannot be built
 */
export async function image() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new StepFailed('The virtual machine is built on Linux on x64 only.');
  if (process.getuid() !== 0)
    throw new StepFailed('The virtual machine needs root: for its image, and to share this tree with it.');
  const folder = join(cacheFolder(), digest());
  const files = {
    kernel: join(folder, 'vmlinuz'),
    first: join(folder, 'first.gz'),
    root: join(folder, 'root.ext4'),
    disk: join(folder, 'disk.ext4'),
  };
  installPackages(hostPackages);
  if (!existsSync(folder)) await build(folder, files);
  return files;
}

function digest() {
  const hash = createHash('sha256');
  for (const name of ['image.mjs', 'guest/first.sh']) hash.update(readFileSync(join(scripts, name)));
  return hash.digest('hex').slice(0, 16);
}

async function build(folder, files) {
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'build-'));
  try {
    const made = join(work, 'made');
    mkdirSync(made);
    const inMade = (path) => join(made, path.slice(folder.length + 1));
    const kernel = await fetchKernel(work);
    copyFileSync(join(kernel.folder, 'boot', `vmlinuz-${kernel.version}`), inMade(files.kernel));
    await buildRoot(work, kernel, inMade(files.root));
    await buildFirst(work, kernel, inMade(files.first));
    await buildDisk(inMade(files.disk));
    // By rename: whoever finds the folder finds it whole.
    try {
      renameSync(made, folder);
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
    forgetOld(cache, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Images that other versions of these scripts made and that were not built lately. */
function forgetOld(cache, folder) {
  const limit = Date.now() - 7 * 24 * 3600 * 1000;
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (path !== folder && statSync(path).mtimeMs < limit) rmSync(path, { recursive: true, force: true });
  }
}

const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
const advice = 'The virtual machine is made of Debian packages; check the network and apt-get update.';
const run = (name, command, cwd) => step(`vm: ${name}`, command, { cwd, env, advice });

/** The newest kernel of the cloud flavour, unpacked and not installed: old ones leave the mirrors. */
async function fetchKernel(work) {
  const folder = join(work, 'kernel');
  mkdirSync(folder);
  const script = `set -e
name=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ {print $2; exit}')
[ -n "$name" ] || { apt-get update -q; name=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ {print $2; exit}'); }
apt-get download -q "$name" busybox-static || { apt-get update -q; apt-get download -q "$name" busybox-static; }
for file in *.deb; do dpkg -x "$file" .; rm "$file"; done
depmod -b "$PWD" "$(ls lib/modules)"`;
  // apt's own user must be able to write here.
  chmodSync(work, 0o755);
  await run('kernel', ['sh', '-c', script], folder);
  return { folder, version: readdirSync(join(folder, 'lib', 'modules'))[0] };
}

async function buildRoot(work, kernel, image) {
  const tree = join(work, 'root');
  const { VERSION_CODENAME: release } = Object.fromEntries(
    readFileSync('/etc/os-release', 'utf8')
      .split('\n')
      .map((line) => line.replaceAll('"', '').split('=')),
  );
  const without = ['doc', 'man', 'locale', 'info'].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  const flags = ['--quiet', '--variant=minbase', `--include=${guestPackages}`, ...without];
  const quick = ['--dpkgopt=force-unsafe-io', '--aptopt=Acquire::Languages "none"'];
  await run('root', ['eatmydata', 'mmdebstrap', ...flags, ...quick, release, tree], work);
  await run('modules', [
    'cp',
    '-a',
    join(kernel.folder, 'lib', 'modules', '.'),
    join(tree, 'lib', 'modules'),
  ]);
  await run('user', ['useradd', '-R', tree, '-m', '-u', String(USER.uid), '-s', '/bin/bash', USER.name]);
  settle(tree);
  const script =
    'exec mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 -d "$0" "$1" $(($(du -sm "$0" | cut -f1) + 512))M';
  await run('root disk', ['sh', '-c', script, tree, image], work);
}

function settle(tree) {
  const units = join(tree, 'etc', 'systemd', 'system');
  writeFileSync(join(units, 'vm-job.service'), jobUnit);
  writeFileSync(join(units, 'vm.target'), jobTarget);
  for (const name of silent) {
    for (const wants of readdirSync(units).filter((entry) => entry.endsWith('.wants')))
      rmSync(join(units, wants, name), { force: true });
    rmSync(join(units, name), { force: true });
    symlinkSync('/dev/null', join(units, name));
  }
  mkdirSync(join(tree, 'lib', 'modules'), { recursive: true });
  writeFileSync(join(tree, 'etc', 'hostname'), 'vm\n');
  writeFileSync(join(tree, 'etc', 'hosts'), '127.0.0.1 localhost vm\n');
  writeFileSync(join(tree, 'etc', 'fstab'), '');
}

async function buildFirst(work, kernel, image) {
  const tree = join(work, 'first');
  for (const name of ['bin', 'modules', 'proc', 'sys', 'dev', 'newroot'])
    mkdirSync(join(tree, name), { recursive: true });
  const put = (from, to) => {
    copyFileSync(from, join(tree, to));
    chmodSync(join(tree, to), 0o755);
  };
  put(join(kernel.folder, 'bin', 'busybox'), join('bin', 'busybox'));
  put(join(scripts, 'guest', 'first.sh'), 'init');
  const show = ['modprobe', '-d', kernel.folder, '-S', kernel.version, '--show-depends'];
  const order = new Set();
  for (const module of modules) {
    const out = await step(`vm: ${module}`, [...show, module], { env, quiet: true });
    for (const [, path] of out.matchAll(/^insmod (\S.*?)\s*$/gm)) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (!order.has(name)) copyFileSync(path, join(tree, 'modules', name));
      order.add(name);
    }
  }
  writeFileSync(join(tree, 'modules', 'order'), `${[...order].join('\n')}\n`);
  await run('first stage', ['sh', '-c', 'find . | cpio --quiet -o -H newc | gzip -1 >"$0"', image], tree);
}

/** A disk of its own for what is held to a number of bytes a second. */
async function buildDisk(image) {
  writeFileSync(image, '');
  truncateSync(image, 256 << 20);
  await run('data disk', ['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-F', image]);
}
