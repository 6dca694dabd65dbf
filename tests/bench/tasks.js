function* producer(channel, n) {
  for (let i = 0; i < n; i++) {
    channel.push(i);
    yield;
  }
  channel.push(null);
}
function* consumer(channel, totals) {
  let total = 0;
  for (;;) {
    while (channel.length === 0) yield;
    const item = channel.pop();
    if (item === null) break;
    total += item;
  }
  totals.push(total);
}
function run(pairs, n) {
  let ready = [], switches = 0;
  const totals = [];
  for (let i = 0; i < pairs; i++) {
    const channel = [];
    ready.push(producer(channel, n), consumer(channel, totals));
  }
  while (ready.length) {
    const alive = [];
    for (const task of ready) {
      if (task.next().done) continue;
      switches += 1;
      alive.push(task);
    }
    ready = alive;
  }
  return [switches, totals.length, totals.reduce((a, b) => a + b, 0)];
}
console.log(run(50, 25000).join(" "));
