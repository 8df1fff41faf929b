// Opens the control socket of a run directory (its first argument) without a free descriptor, then with some; says what came of both.
import { closeSync, openSync } from 'node:fs';
import { openControlSocket, type SocketParts } from '../../src/control-socket.ts';

const [, , runDirectory = ''] = process.argv;
// Nobody asks it anything.
const parts = { runDirectory, native: null, system: null } as unknown as SocketParts;

async function say(): Promise<void> {
  try {
    const socket = await openControlSocket(parts);
    console.log('opened');
    await socket.close();
  } catch (error) {
    const { code, message } = error as Error & { readonly code: string };
    console.log(`${code} ${message}`);
  }
}

const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // None is free now.
}
await say();
for (const one of held) closeSync(one);
await say();
