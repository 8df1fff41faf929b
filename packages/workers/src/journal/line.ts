import { crc32 } from 'node:zlib';

/** One value as a line that begins with the checksum of the rest; `seed` is that of where the line belongs to. */
export function lineOf(value: object, seed = 0): string {
  const body = JSON.stringify(value);
  return `${sum(body, seed)} ${body}\n`;
}

/** What a whole and undamaged line of the same seed says, without its end; else null. */
export function parseLine(line: string, seed = 0): object | null {
  const body = line.slice(9);
  if (line.slice(0, 9) !== `${sum(body, seed)} `) return null;
  try {
    return JSON.parse(body) as object;
  } catch {
    return null;
  }
}

/** The seed of the lines of one boot: those of another look damaged. */
export function seedOf(bootId: string): number {
  return crc32(bootId);
}

export function sum(text: string, seed = 0): string {
  return crc32(text, seed).toString(16).padStart(8, '0');
}
