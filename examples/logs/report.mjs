// A program that logs key=value pairs, and now and then the stack of an error.
let order = 0;
setInterval(() => {
  order += 1;
  console.log(`level=info msg="order booked" request_id=order-${order}`);
  if (order % 3 === 0) console.error(new Error(`order-${order} was not paid`));
}, 500);
