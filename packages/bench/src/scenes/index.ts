import type { Contest, Scene } from '../scene.ts';
import { adoption } from './adoption.ts';
import { control, embedded } from './control.ts';
import { crash } from './crash.ts';
import { hearing } from './hearing.ts';
import { hundred } from './hundred.ts';
import { logging } from './logging.ts';
import { many } from './many.ts';
import { one } from './one.ts';
import { sampling } from './sampling.ts';
import { spawning } from './spawning.ts';
import { table } from './table.ts';
import { zoo } from './zoo.ts';

/** In the order in which they are played in each round. */
export const scenes: readonly Scene[] = [one, hundred, many, crash, zoo];

export const contests: readonly Contest[] = [
  sampling,
  spawning,
  adoption,
  table,
  ...logging,
  control,
  embedded,
  hearing,
];
