// There are no operators of classes, so that methods stand for them.
class Vector {
  constructor(x, y) {
    this.x = x;
    this.y = y;
  }
  add(other) { return new Vector(this.x + other.x, this.y + other.y); }
  sub(other) { return new Vector(this.x - other.x, this.y - other.y); }
  mul(k) { return new Vector(this.x * k, this.y * k); }
  eq(other) { return this.x === other.x && this.y === other.y; }
  lt(other) { return this.x < other.x; }
  item(i) { return i ? this.y : this.x; }
  get length() { return 2; }
}
function run(n) {
  const step = new Vector(1, 2);
  let at = new Vector(0, 0);
  let same = 0, less = 0, total = 0;
  for (let i = 0; i < n; i++) {
    at = at.add(step.mul(3)).sub(step);
    if (at.eq(step)) same += 1;
    if (step.lt(at)) less += 1;
    total += at.item(i & 1) + at.length;
  }
  return [at.x, at.y, same, less, total];
}
console.log(run(250000).join(" "));
