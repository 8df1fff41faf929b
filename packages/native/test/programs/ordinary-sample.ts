import { native } from './run.ts';

const [trees] = native().sampleTrees([{ cgroup: null, controllers: {}, pids: [process.ppid, process.pid] }], {
  pss: true,
  connections: true,
  pressure: true,
  descriptors: true,
  peak: true,
});
const own = (pid: number): number => (pid === process.pid ? 1 : 0);
const processes = trees?.processes.toSorted((a, b) => own(a.pid) - own(b.pid));
process.stdout.write(JSON.stringify(processes));
