import type { WorkerView } from './view.ts';

/** What can be waited for. `stopped`: nothing of it is alive and nothing will start by itself. */
export const CONDITIONS = ['running', 'ready', 'stopped', 'completed'] as const;
export type Condition = (typeof CONDITIONS)[number];

type Judged = Pick<WorkerView, 'phase' | 'ready' | 'completed' | 'desired'>;

/** Whether it holds; `never`: not unless somebody gives another order. */
export function meets(worker: Judged, condition: Condition): 'yes' | 'not-yet' | 'never' {
  const rests = worker.phase === 'stopped' || worker.phase === 'failed';
  switch (condition) {
    case 'running':
      return worker.phase === 'running' ? 'yes' : rests ? 'never' : 'not-yet';
    case 'ready':
      return worker.ready ? 'yes' : rests ? 'never' : 'not-yet';
    case 'stopped':
      return rests ? 'yes' : 'not-yet';
    case 'completed':
      return worker.completed ? 'yes' : rests ? 'never' : 'not-yet';
  }
}
