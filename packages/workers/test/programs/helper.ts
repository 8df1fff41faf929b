// A master with one exec probe under way, whose pid it writes once the probe has begun. It waits to be killed.
import { loadNative } from '@hsu-master/native';
import { createNativeHost } from '../../src/host/native.ts';
import { realClock } from '../../src/real-clock.ts';
import { commandOf, newMark } from '../host-watch.ts';

const [, , file = '', user = null] = process.argv;
const loaded = loadNative({});
if (!loaded.ok) throw new Error(loaded.reason);
const host = createNativeHost(loaded.native, {
  environment: process.env,
  reapOrphans: true,
  clock: realClock(),
});
const script = 'echo $$ > "$1.part"; mv "$1.part" "$1"; exec sleep 600';
const command = commandOf(['sh', '-c', script, 'sh', file], { user });
void host.exec({ command, mark: newMark(), timeout: 600_000, maxOutput: 100 });
