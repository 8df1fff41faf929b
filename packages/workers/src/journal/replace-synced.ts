import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts a text in the place of a file, so that after a power cut there is the old one or the new one, whole. */
export async function replaceSynced(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  const directory = await open(dirname(file), 'r');
  try {
    await directory.sync();
  } catch (error) {
    // Windows syncs files only; its journal keeps the folder.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  } finally {
    await directory.close();
  }
}
