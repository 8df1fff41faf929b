import type { Peer } from '../peer.ts';
import { floor } from './floor.ts';
import { ours } from './ours.ts';
import { pm2 } from './pm2.ts';
import { runit } from './runit.ts';
import { s6 } from './s6.ts';
import { supervisord } from './supervisord.ts';

/** In the order in which they take turns. */
export const peers: readonly Peer[] = [floor, ours, pm2, supervisord, runit, s6];
