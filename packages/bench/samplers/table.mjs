// Lists all processes again and again, and writes the mean of ms of a look, and how many processes it saw.
// Usage: table.mjs ps-list|systeminformation ROUNDS RESULT.
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** systeminformation answers from its last look for half a second. */
const APART_MS = 600;

const [how, rounds, result] = process.argv.slice(2);
const look =
  how === 'ps-list'
    ? (await import('ps-list')).default
    : async () => (await (await import('systeminformation')).processes()).list;
await look();
let seen = 0;
let spent = 0;
for (let round = 0; round < Number(rounds); round += 1) {
  await setTimeout(APART_MS);
  const from = performance.now();
  seen = (await look()).length;
  spent += performance.now() - from;
}
writeFileSync(result, `${spent / Number(rounds)} ${seen}\n`);
