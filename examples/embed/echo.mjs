// Sends back what it gets.
import { createServer } from 'node:net';

createServer((socket) => socket.pipe(socket).on('error', () => {})).listen(
  Number(process.env.ECHO_PORT),
  '127.0.0.1',
);
