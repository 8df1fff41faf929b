export type { Disk, FileFacts } from './file/disk.ts';
export {
  type FileCollector,
  type FileCollectorOptions,
  fileCollector,
  type OutputListener,
  type RunListener,
} from './file-collector.ts';
