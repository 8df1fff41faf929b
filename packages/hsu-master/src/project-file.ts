import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PROJECT_FILES = ['hsu-master.yaml', 'hsu-master.yml'];

/** The configuration of the project that a folder belongs to: in it, or in the nearest folder above that has one. */
export function projectFile(folder: string): string | null {
  for (const name of PROJECT_FILES) if (existsSync(join(folder, name))) return join(folder, name);
  return dirname(folder) === folder ? null : projectFile(dirname(folder));
}
