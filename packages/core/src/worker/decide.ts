import type { Cell } from './cells.ts';
import type { FactMessage, Message } from './messages.ts';
import type { Worker } from './state.ts';
import { TABLE } from './table.ts';
import { type Circumstances, type Decision, Turn } from './turn.ts';
import { UNMANAGED_TABLE } from './unmanaged.ts';

function isFact(message: Message): message is FactMessage {
  return 'run' in message;
}

/**
 * What `message` means for `worker`: the next state, the effects to perform, the events to publish. Pure. A fact of an
 * earlier run changes nothing.
 */
export function decide(worker: Worker, message: Message, circumstances: Circumstances): Decision {
  if (isFact(message) && message.run !== worker.run) return { worker, effects: [], events: [] };
  const turn = new Turn(worker, circumstances);
  const table = circumstances.spec.unmanaged === null ? TABLE : UNMANAGED_TABLE;
  const cell = table[worker.phase.name][message.kind] as Cell;
  cell(turn, worker.phase, message);
  return turn.decision();
}
