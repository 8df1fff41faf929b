// Carries what comes through the FIFO to the file until it is killed, or the channel ends.
// Run as: pump.ts FIFO FILE MAX_SIZE MAX_FILES [FORMAT]
import { loadNative, type NativeFormat } from '../../src/index.ts';

const [fifo = '', file = '', maxSize = '0', maxFiles = '0', format = 'plain'] = process.argv.slice(2);
const loaded = loadNative();
if (!loaded.ok) throw new Error(loaded.reason);
const pump = loaded.native.openPump({
  maxTappedBytes: 1,
  onEvents(events) {
    if (events.some(({ type }) => type === 'channel-end')) pump.close();
  },
});
pump.open({
  fifo,
  file,
  maxSize: Number(maxSize),
  maxFiles: Number(maxFiles),
  rotateEvery: 0,
  overflow: 'block',
  format: format as NativeFormat,
  labels: { worker: 'api', run: 1, stream: 'stdout', prefix: '' },
});
pump.carryOn();
process.stdout.write('ready\n');
