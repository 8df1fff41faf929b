// A job with a defect: it crashes after three steps, and is started again.
let step = 0;

setInterval(() => {
  step += 1;
  if (step > 3) throw new Error('this step always fails');
  console.log(`step ${step} of 5`);
}, 1000);
