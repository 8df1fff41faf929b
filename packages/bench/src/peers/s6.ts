import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { lackOfPackage, packageVersion } from './debian.ts';
import { bareEnvironment } from './environment.ts';

/** s6-svscan and an s6-supervise per worker. */
export const s6: Peer = {
  name: 's6',
  missing: () => lackOfPackage('s6-svscan', 's6'),
  version: () => packageVersion('s6'),
  async prepare({ dir, workers, grace, loggers }) {
    const scan = join(dir, 'scan');
    await mkdir(scan);
    for (const [index, argv] of workers.entries()) {
      const service = join(scan, `w${index}`);
      await mkdir(service);
      await writeFile(join(service, 'run'), `#!/bin/sh\nexec ${argv.join(' ')}\n`, { mode: 0o755 });
      await writeFile(join(service, 'timeout-kill'), `${grace}\n`);
      if (!loggers) continue;
      const log = join(service, 'log');
      await mkdir(log);
      await writeFile(join(log, 'run'), '#!/bin/sh\nexec s6-log n3 s1000000 ./main\n', { mode: 0o755 });
    }
    return {
      argv: ['s6-svscan', '-c', String(Math.max(500, workers.length * 2 + 10)), scan],
      env: bareEnvironment(dir),
      cwd: dir,
      stop: 'SIGTERM',
      background: false,
    };
  },
};
