// libuv's handler, installed first, goes on working under a subreaper's.
import { native, options } from './run.ts';

let heard = false;
process.on('SIGCHLD', () => {
  heard = true;
});
const engine = native().openEngine({
  subreaper: true,
  maxUnacknowledgedBytes: 1,
  onEvents(batch) {
    if (!batch.some((event) => event.type === 'exited')) return;
    setTimeout(() => {
      process.stdout.write(heard ? 'SIGCHLD heard\n' : 'not heard\n');
      engine.close();
      process.exit();
    }, 50);
  },
});
const result = engine.spawn(options('/bin/true', ['true']));
if (result.ok) engine.release(result.value.handle, true);
