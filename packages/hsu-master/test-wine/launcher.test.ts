import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { living, Place, windows } from './launcher.ts';

const node = process.execPath;

/** A worker that writes lines and ends by Ctrl-C. */
function ticking(place: Place, id: string): string {
  const code = `process.on('SIGINT', () => { console.log('asked'); process.exit(0) }); let i = 0; console.log('${mark(place)}'); setInterval(() => console.log('tick ' + i++), 100)`;
  return [
    `  - id: ${id}`,
    '    type: managed',
    '    unit:',
    '      managed:',
    '        control:',
    '          execution:',
    `            executable_path: ${JSON.stringify(node)}`,
    `            args: ['-e', ${JSON.stringify(code)}]`,
  ].join('\n');
}

const mark = (place: Place) => place.folder.split('\\').at(-1) ?? '';
const config = (place: Place, ...workers: readonly string[]) =>
  place.config(`master: {}\nworkers:\n${workers.join('\n')}\n`);

describe('run', () => {
  test('starts the workers, shows their lines; a stop by `down` leaves nothing', async () => {
    const place = new Place();
    const file = config(place, ticking(place, 'one'), ticking(place, 'two'));
    const master = place.start(['run', file]);
    await master.says(/one .*tick 3/);
    await master.says(/two .*tick 3/);
    expect(living(mark(place)).length).toBeGreaterThan(0);
    const ls = await place.run('ls', '-f', file);
    expect(ls.out).toMatch(/one\s.*running/);
    const stopped = await place.run('stop', 'one', '-f', file);
    expect(stopped).toMatchObject({ code: 0 });
    const down = await place.run('down', '-f', file);
    expect(down).toMatchObject({ code: 0 });
    expect(await master.ended).toMatchObject({ code: 0 });
    expect(living(mark(place))).toEqual([]);
  });
});
