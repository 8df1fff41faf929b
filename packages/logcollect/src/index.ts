export { type PumpCollector, type PumpCollectorOptions, pumpCollector } from './capture/pump-collector.ts';
export type { Disk, FileFacts } from './file/disk.ts';
export { logFiles } from './file/rotation.ts';
export {
  type FileCollector,
  type FileCollectorOptions,
  fileCollector,
  type OutputListener,
  type RunListener,
} from './file-collector.ts';
export { eventLine } from './terminal/event-line.ts';
export { type TerminalOutput, type TerminalOutputOptions, terminalOutput } from './terminal/output.ts';
export { type TerminalOptions, type TerminalView, terminalView } from './terminal/view.ts';
