class Counter {
  constructor(step) {
    this.step = step;
    this.total = 0;
  }
  add(n) {
    this.total += n * this.step;
  }
  value() {
    return this.total;
  }
}
class Offset extends Counter {
  constructor(step, offset) {
    super(step);
    this.offset = offset;
  }
  value() {
    return this.total + this.offset;
  }
}
function run(n) {
  const counters = [new Counter(1), new Offset(2, 10), new Counter(3)];
  let seen = 0;
  for (let i = 0; i < n; i++) {
    for (const c of counters) {
      c.add(i & 7);
      if (c.value() & 1) seen += 1;
    }
  }
  return [seen, ...counters.map((c) => c.value())];
}
console.log(run(500000).join(" "));
