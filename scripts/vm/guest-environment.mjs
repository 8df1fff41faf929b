import { dirname } from 'node:path';
import { pinnedNode } from '../tree.mjs';
import { zoo } from './zoo.mjs';

/** Everything in the guest takes about this much longer: JavaScript six times, starting a program twenty times. */
const SLOWER = 10;

/** Lines of a shell script that set the environment of all that runs in the guest. */
export function guestEnvironment() {
  const variables = {
    HSU_TIME_FACTOR: process.env.HSU_VM_TIME_FACTOR ?? String(SLOWER),
    HSU_VM_DISK: '/mnt/disk',
    HSU_ZOO: zoo,
    NO_COLOR: '1',
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return `export PATH=${quote(dirname(pinnedNode()))}:"$PATH"\n${lines.join('')}`;
}

/** A word of a shell script. */
export function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
