// Would take a whole core; says every two seconds how much it was given.
for (;;) {
  const [began, used] = [performance.now(), process.cpuUsage()];
  while (performance.now() - began < 2000);
  const { user, system } = process.cpuUsage(used);
  console.log(`${Math.round((user + system) / 10 / (performance.now() - began))} % of a core`);
}
