// Keeps ten more MiB every quarter of a second.
const kept = [];

setInterval(() => {
  kept.push(Buffer.alloc(10 * 1024 * 1024, 1));
  console.log(`${Math.round(process.memoryUsage.rss() / 1e6)} MB in use`);
}, 250);
