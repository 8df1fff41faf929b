// An application that keeps a helper program running, and ends it with itself.
import { createMaster } from 'hsu-master';

const port = process.env.ECHO_PORT ?? '18481';

const master = createMaster({
  directory: import.meta.dirname,
  config: {
    workers: [
      {
        id: 'echo',
        command: ['node', 'echo.mjs'],
        env: { ECHO_PORT: port },
        ready: `tcp://127.0.0.1:${port}`,
        restart: { policy: 'always', delay: '200ms' },
      },
    ],
  },
});

master.events.subscribe((event) => console.log(event.type, event.workerId ?? ''));

function once(type) {
  return new Promise((resolve) => {
    const stop = master.events.subscribe((event) => {
      if (event.type !== type) return;
      stop();
      resolve(event);
    });
  });
}

const ready = once('worker.ready');
await master.start();
await ready;
console.log('state:', master.worker('echo').phase);

const restarted = once('worker.started');
await master.restartWorker('echo');
await restarted;

const { survivors } = await master.shutdown();
console.log('survivors:', survivors.length);
