// What counts.c does, for Windows: Ctrl-C is what asks it to end, and nobody is kept from running twice.
// counts.mjs LOCK EVERY_MS [AFTER_LINES EXIT_CODE]
import { writeSync } from 'node:fs';

const [, every, most = 0, code = 1] = process.argv.slice(2).map(Number);
let number = 0;
const say = (line) => writeSync(1, `${line}\n`);

say(`life ${process.env.HSU_RUN}`);
for (const name of ['SIGINT', 'SIGTERM', 'SIGBREAK'])
  process.on(name, () => {
    say(`end ${number}`);
    process.exit(0);
  });
setInterval(
  () => {
    if (every > 0) say((number += 1));
    if (most > 0 && number >= most) process.exit(code);
  },
  every > 0 ? every : 1000,
);
