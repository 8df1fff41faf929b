import { commandLine, loadNative } from '@hsu-master/native';
import { describeHostContract, type HostHarness } from '@hsu-master/testkit/contract';
import { KILLED } from '../src/host/windows/exit.ts';
import { createWindowsHost, jobName } from '../src/host/windows/host.ts';
import { realClock } from '../src/real-clock.ts';

const loaded = loadNative({});
if (!loaded.ok || loaded.windows === null) throw new Error(loaded.ok ? 'no Windows' : loaded.reason);
const { native, windows } = loaded;

/** As an earlier master would have left it: in its job, which its process holds open. */
function harness(): HostHarness {
  const host = createWindowsHost(native, windows, { environment: process.env, clock: realClock() });
  const earlier = windows.openEngine({ onEvents: () => {}, maxUnacknowledgedBytes: 1024 });
  return {
    host,
    directory: 'C:\\windows',
    argv: (program) => program.argv,
    stranger({ argv }, mark) {
      const line = commandLine(argv);
      const job = earlier.createJob(jobName(mark));
      if (!line.ok || !job.ok) throw new Error(`cannot start ${argv[0]}`);
      const made = earlier.spawn({
        application: argv[0],
        commandLine: line.line,
        environment: [`HSU_RUN=${mark}`, `SystemRoot=${process.env['SystemRoot'] ?? ''}`],
        cwd: null,
        stdout: 'null',
        stderr: 'null',
        console: 'own',
        jobs: [job.value],
      });
      if (!made.ok) throw new Error(`cannot start ${argv[0]}: ${made.failure.code}`);
      earlier.release(made.value.handle, true);
      earlier.closeJob(job.value);
      return { pid: made.value.pid, startedAt: made.value.startTime };
    },
    end: ({ pid, startedAt }) => void windows.terminate(pid, startedAt, KILLED),
    close() {
      host.close();
      earlier.close();
    },
  };
}

const { isWine } = windows.features;
const features = {
  gate: true,
  findsSessions: true,
  findsWiped: true,
  follows: true,
  attaches: true,
  signals: 'not on Windows: an exit code is all that it tells',
  wakesStopped: !isWine || 'Wine: it does not tell of threads that they are suspended',
} as const;

describeHostContract('windows', features, harness);
