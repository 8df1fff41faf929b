// An integrated unit: serveUnit() answers Ping, health and control on the port that the master gives; the rest is its own.
import { serveUnit } from '@hsu-master/unit';
import { greeting } from './greeting.mjs';

let greeted = 0;

const unit = await serveUnit({
  register(server) {
    server.addService(greeting, {
      Greet(call, answer) {
        greeted += 1;
        answer(null, `hello ${call.request}`);
      },
    });
  },
  // Not yet: this program needs half a second before it can do its work.
  serving: false,
  onGreeting: ({ worker, run }) => unit.log('info', `a master has me in its charge as ${worker}, run ${run}`),
  onStop: ({ by }) =>
    unit.log('info', `asked to stop by ${by === 'master' ? 'the master' : by}`, { greeted }),
});

unit.log('info', `listening on port ${unit.port}`);
setTimeout(() => unit.setServing(true), 500);
