// An HTTP API that needs a moment before it is ready: GET /health and GET /work.
import { createServer } from 'node:http';

const port = Number(process.env.API_PORT ?? 18480);
const readyAt = Date.now() + 500;
let handedOut = 0;

const server = createServer((request, response) => {
  if (request.url === '/health') {
    response.writeHead(Date.now() < readyAt ? 503 : 200).end();
    return;
  }
  handedOut += 1;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ task: handedOut }));
});
server.listen(port, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${port}`));

process.on('SIGTERM', () => {
  console.log(`closing after ${handedOut} tasks`);
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
