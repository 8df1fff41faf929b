// Sends back what it gets.
import { createServer } from 'node:net';

createServer((socket) => socket.pipe(socket).on('error', () => {})).listen(18481, '127.0.0.1');
