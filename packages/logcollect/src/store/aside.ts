import { link, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../file/disk.ts';

/**
 * Removes the file of that name if it is the one of that identity, whatever happens to its name meanwhile: it is taken aside and
 * looked at again first. false: another file has the name, or none.
 */
export async function removeExactly(path: string, identity: string): Promise<boolean> {
  if ((await identityAt(path)) !== identity) return false;
  const aside = join(dirname(path), `.${basename(path)}.${identity.replace(':', '-')}.gone`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  const isRight = (await identityAt(aside)) === identity;
  // A rotation came in between, and this is a later file: it goes back.
  if (!isRight) await putBack(aside, path);
  else await unlink(aside);
  return isRight;
}

/** Ends what somebody who was killed had begun with a file that was taken aside. */
export async function settleAside(folder: string, name: string): Promise<void> {
  const found = /^\.(.+)\.(\d+)-(\d+)\.gone$/.exec(name);
  if (found === null) return;
  const aside = join(folder, name);
  if ((await identityAt(aside)) === `${found[2]}:${found[3]}`) await unlink(aside);
  else await putBack(aside, join(folder, found[1] as string));
}

async function putBack(aside: string, path: string): Promise<void> {
  const base = path.replace(/\.\d+(\.gz|\.zst)?$/, '');
  const suffix = /(?:\.gz|\.zst)$/.exec(path)?.[0] ?? '';
  const first = Number(/\.(\d+)(?:\.gz|\.zst)?$/.exec(path)?.[1] ?? 1);
  for (let number = first; ; number += 1) {
    try {
      await link(aside, `${base}.${number}${suffix}`);
      break;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
  await unlink(aside);
}

/** Device and inode; null where there is nothing. */
export async function identityAt(path: string): Promise<string | null> {
  try {
    const facts = await stat(path, { bigint: true });
    return `${facts.dev}:${facts.ino}`;
  } catch {
    return null;
  }
}
