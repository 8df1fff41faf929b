// B7, B4 and B2 as somebody who is not root. Argument: a directory that only root may enter.

import { loadNative } from '@hsu-master/native';
import { createNativeHost } from '../../src/host/native.ts';
import { createNodeHost } from '../../src/host/node.ts';
import { realClock } from '../../src/real-clock.ts';
import { failureOf, Watched } from '../host-watch.ts';

const [, , kind, closedFolder = ''] = process.argv;
const environment = process.env;
const loaded = loadNative({});
const host =
  kind === 'native' && loaded.ok
    ? createNativeHost(loaded.native, { environment, reapOrphans: true, clock: realClock() })
    : createNodeHost({ environment, clock: realClock() });

const recorded: number[] = [];
const record = ({ pid }: { pid: number }) => void recorded.push(pid);
const own = new Watched(host, ['id', '-u'], { command: { user: 'nobody' } });
await own.over();
await own.until('the end of its output', () => own.output.ended.length === 2);
const result = {
  host: host.name,
  root: await failureOf(host, ['true'], { record, command: { user: 'root' } }),
  group: await failureOf(host, ['true'], { record, command: { group: 'root' } }),
  groups: await failureOf(host, ['true'], { record, command: { groups: ['root'] } }),
  recorded,
  own: own.output.text('stdout'),
  folder: await failureOf(host, ['/bin/true'], { command: { cwd: closedFolder } }),
  program: await failureOf(host, [`${closedFolder}/program`]),
};
process.stdout.write(JSON.stringify(result));
host.close();
