import type { Logger } from './logger.ts';
import { loop, stampedLoop } from './loop.ts';
import { ours, oursWithView } from './ours.ts';
import { pm2 } from './pm2.ts';
import { runit } from './runit.ts';
import { s6 } from './s6.ts';
import { supervisord } from './supervisord.ts';

/** In the order in which they take turns. */
export const loggers: readonly Logger[] = [
  loop,
  stampedLoop,
  ours,
  oursWithView,
  pm2,
  supervisord,
  s6,
  runit,
];
