import { native, options } from './run.ts';

const engine = native().openEngine({
  subreaper: false,
  maxUnacknowledgedBytes: 1,
  onEvents(batch) {
    if (!batch.some((event) => event.type === 'exited')) return;
    process.stdout.write('exited\n');
    if (process.argv[2] === 'close') engine.close();
  },
});
process.on('exit', () => process.stdout.write('loop ended\n'));
const result = engine.spawn(options('/bin/true', ['true']));
if (result.ok) engine.release(result.value.handle, true);
