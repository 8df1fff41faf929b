// Started with group 1: the /proc files of a process that is not dumpable belong to root's group instead.
import { statSync } from 'node:fs';
import { options, runAll } from './run.ts';

const readable = (): number => Number(statSync('/proc/self/environ').gid === process.getegid?.());
const before = readable();
await runAll([options('/bin/true', ['true'], { uid: 65_534, gid: 65_534, groups: [] })]);
process.stdout.write(`before ${before}, after ${readable()}\n`);
