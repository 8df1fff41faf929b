// A program that logs JSON, some of it better not seen by all.
const say = (level, msg, more = {}) => console.log(JSON.stringify({ level, msg, ...more }));

let order = 0;
setInterval(() => {
  order += 1;
  const requestId = `order-${order}`;
  say('debug', 'cache looked at');
  say('info', 'order taken', { requestId, password: 'swordfish' });
  if (order % 3 === 0) say('error', 'payment refused', { requestId });
}, 500);
