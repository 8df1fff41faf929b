// Of more channels than a user may have at full size the last one carries a flood.
// Run as: small-channels.ts FOLDER COUNT; prints what is told of small channels, and how the flood ended.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { loadNative } from '../../src/index.ts';

const [folder = '', count = '0'] = process.argv.slice(2);
const loaded = loadNative();
if (!loaded.ok) throw new Error(loaded.reason);
const pump = loaded.native.openPump({
  maxTappedBytes: 1,
  onEvents(events) {
    for (const event of events) {
      if (event.type === 'channel-small') process.stdout.write(`small ${event.capacity}\n`);
      if (event.type !== 'channel-end') continue;
      process.stdout.write(`bytes ${event.counts.bytes}, dropped ${event.counts.droppedBytes}\n`);
      pump.close();
    }
  },
});
for (let at = 0; at < Number(count); at += 1) {
  pump.open({
    fifo: join(folder, `fifo${at}`),
    file: join(folder, `log${at}`),
    maxSize: 0,
    maxFiles: 0,
    rotateEvery: 0,
    overflow: 'block',
    format: 'plain',
    labels: { worker: 'api', run: 1, stream: 'stdout', prefix: '' },
  });
}
const last = openSync(join(folder, `fifo${Number(count) - 1}`), 'r+');
spawn('head', ['-c', '20000000', '/dev/zero'], { stdio: ['ignore', last, 'inherit'] });
closeSync(last);
