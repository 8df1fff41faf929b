// Asks the API for work once a second. It is started only when the API is ready.
const port = process.env.API_PORT ?? 18480;

async function work() {
  const response = await fetch(`http://127.0.0.1:${port}/work`);
  const { task } = await response.json();
  console.log(`task ${task} done`);
}

setInterval(() => {
  work().catch((error) => console.error(`no work: ${error.message}`));
}, 1000);
process.on('SIGTERM', () => process.exit(0));
