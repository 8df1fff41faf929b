import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { lackOfPackage, packageVersion } from './debian.ts';
import { bareEnvironment } from './environment.ts';

/** runsvdir and a runsv per worker; a runsv stops its worker by SIGTERM and knows no limit of time. */
export const runit: Peer = {
  name: 'runit',
  missing: () => lackOfPackage('runsvdir', 'runit'),
  version: () => packageVersion('runit'),
  async prepare({ dir, workers, loggers }) {
    const services = join(dir, 'services');
    await mkdir(services);
    for (const [index, argv] of workers.entries()) {
      const service = join(services, `w${index}`);
      await mkdir(service);
      await writeFile(join(service, 'run'), `#!/bin/sh\nexec ${argv.join(' ')}\n`, { mode: 0o755 });
      if (!loggers) continue;
      const log = join(service, 'log');
      await mkdir(join(log, 'main'), { recursive: true });
      await writeFile(join(log, 'run'), '#!/bin/sh\nexec svlogd ./main\n', { mode: 0o755 });
    }
    return {
      argv: ['runsvdir', '-P', services],
      env: bareEnvironment(dir),
      cwd: dir,
      // To runsvdir, SIGTERM means: leave the workers running.
      stop: 'SIGHUP',
      background: false,
    };
  },
};
