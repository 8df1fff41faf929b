import { type ExecNews, type ExecSession, HsuError, type SignalName } from '@hsu-master/core';
import * as asked from '../asked.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../handlers.ts';
import type { ExecRequest, ExecResponse } from '../messages.ts';

export const execService: Handlers<'hsu.v1.ExecService'> = {
  async *Exec(questions, call) {
    const { control, audit, signal } = call;
    const iterator = questions[Symbol.asyncIterator]();
    const { value: first } = await iterator.next();
    const start = first?.start;
    if (!start) throw new HsuError('E_REQUEST', 'start: the first message says what is to be run, and where');
    const worker = control.worker(asked.id(start.id));
    const by = call.demand('workers:exec', worker);
    const [program, ...rest] = start.argv;
    if (program === undefined) throw new HsuError('E_REQUEST', 'start.argv: is empty');
    const session = await control.exec(worker.id, [program, ...rest], signal);
    // Its arguments may be secret.
    audit.record({ by, action: 'worker.exec', on: worker.id, result: 'done', why: program.slice(0, 200) });
    yield { begun: { session: session.id } };
    void feed(iterator, session, call);
    for await (const news of session.news(signal)) yield told(news);
  },
};

/** Gives a command what its caller sends, for as long as it comes. */
async function feed(iterator: AsyncIterator<ExecRequest>, session: ExecSession, call: Call): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) break;
      call.admit();
      if (value.input) await session.write(value.input);
      else if (typeof value.signal === 'string') session.signal(asked.signal(value.signal) as SignalName);
    }
    session.end();
  } catch (error) {
    call.break(error);
  }
}

function told(news: ExecNews): ExecResponse {
  switch (news.kind) {
    case 'output':
      return news.stream === 'stdout' ? { stdout: news.bytes } : { stderr: news.bytes };
    case 'exited':
      return { exit: { code: news.exit.code, signal: news.exit.signal } };
    case 'failed':
      return { failure: news.failure };
  }
}
