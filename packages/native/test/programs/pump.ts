// Carries what comes through the FIFO to the file until it is killed, or the channel ends.
// Run as: pump.ts FIFO[,FIFO] FILE MAX_SIZE MAX_FILES [FORMAT]
import { loadNative, type NativeFormat } from '../../src/index.ts';

const [fifo = '', file = '', maxSize = '0', maxFiles = '0', format = 'plain'] = process.argv.slice(2);
const loaded = loadNative();
if (!loaded.ok) throw new Error(loaded.reason);
const open = new Set<number>();
const pump = loaded.native.openPump({
  maxTappedBytes: 1,
  onEvents(events) {
    for (const event of events) if (event.type === 'channel-end') open.delete(event.channel);
    if (open.size === 0) pump.close();
  },
});
const streams = ['stdout', 'stderr'] as const;
for (const [index, path] of fifo.split(',').entries()) {
  const channel = pump.open({
    fifo: path,
    file,
    maxSize: Number(maxSize),
    maxFiles: Number(maxFiles),
    rotateEvery: 0,
    overflow: 'block',
    format: format as NativeFormat,
    labels: { worker: 'api', run: 1, stream: streams[index] ?? 'stdout', prefix: '' },
  });
  open.add(channel);
}
pump.carryOn();
process.stdout.write('ready\n');
