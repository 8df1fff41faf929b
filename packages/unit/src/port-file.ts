import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Writes the port as the original does, decimal and a line break; whoever reads it sees a whole one. Returns what removes it again. */
export function writePortFile(path: string, port: number): () => void {
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, `${port}\n`, { flag: 'wx', mode: 0o644 });
  renameSync(fresh, path);
  return () => rmSync(path, { force: true });
}
