import type { WindowsJobUsage, WindowsProcess } from './native.ts';

/** Numbers of a `ProcessRow` in native/windows/src/proctable.h. */
const width = 17;

export function decodeProcesses([rows, texts]: readonly [Float64Array, string]): WindowsProcess[] {
  const names = texts.split('\0');
  const processes: WindowsProcess[] = [];
  for (let at = 0, row = 0; at < rows.length; at += width, row += 1) {
    const number = (column: number): number => rows[at + column] as number;
    processes.push({
      pid: number(0),
      ppid: number(1),
      startTime: String(number(2)),
      state: String.fromCharCode(number(3)),
      session: number(4),
      threads: number(5),
      handles: number(6),
      userMs: number(7),
      kernelMs: number(8),
      rss: number(9),
      privateBytes: number(10),
      virtual: number(11),
      peakRss: number(12),
      readOps: number(13),
      writeOps: number(14),
      readBytes: number(15),
      writtenBytes: number(16),
      name: names[row] ?? '',
    });
  }
  return processes;
}

/** In the order of `JobUsage` in native/windows/src/job.h; NaN is what the system does not tell. */
export function decodeJobUsage(numbers: Float64Array): WindowsJobUsage {
  const known = (at: number): number | null => {
    const value = numbers[at];
    return value === undefined || Number.isNaN(value) ? null : value;
  };
  return {
    userMs: known(0),
    kernelMs: known(1),
    totalProcesses: known(2),
    activeProcesses: known(3),
    terminatedProcesses: known(4),
    readOps: known(5),
    writeOps: known(6),
    readBytes: known(7),
    writtenBytes: known(8),
    memory: known(9),
    peakMemory: known(10),
  };
}
