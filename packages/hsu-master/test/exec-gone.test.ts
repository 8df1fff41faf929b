import { noAudit } from '@hsu-master/core';
import { realClock } from '@hsu-master/workers';
import { expect } from 'vitest';
import { openAccess } from '../src/access/access.ts';
import { createControl } from '../src/control.ts';
import { eventually, it } from './drive.ts';
import { embed } from './embedded.ts';

it('a command whose caller has gone before it ran is ended, though nobody ever watched it', async ({
  stage,
}) => {
  await using app = embed(stage, [{ id: 'web', command: 'sleep 1000' }]);
  await app.master.start();
  const shutdown = (): never => {
    throw new Error('nobody asks for the end');
  };
  const { tokens } = openAccess({
    stateDirectory: stage.folder,
    clock: realClock(),
    perSecond: 0,
    tell: () => {},
  });
  const control = createControl({ master: app.master, audit: noAudit, tokens, environment: {}, shutdown });
  const gone = new AbortController();
  const runs = () => stage.processes().some(({ command }) => command.includes('sleep 1004'));
  const later = await control.exec('web', ['sleep', '1004'], gone.signal);
  await eventually(runs);
  gone.abort();
  await eventually(() => !runs());
  expect(() => control.execSession(later.id)).toThrow('there is no command');
  const never = await control.exec('web', ['sleep', '1004'], gone.signal);
  await eventually(() => !runs());
  expect(() => control.execSession(never.id)).toThrow('there is no command');
});
