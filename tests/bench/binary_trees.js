class Node {
  constructor(left, right) {
    this.left = left;
    this.right = right;
  }
  check() {
    return this.left === null ? 1 : 1 + this.left.check() + this.right.check();
  }
}
function build(depth) {
  if (depth === 0) return new Node(null, null);
  return new Node(build(depth - 1), build(depth - 1));
}
function run(deepest) {
  const kept = build(deepest);
  let total = 0;
  for (let depth = 4; depth <= deepest; depth += 2)
    for (let i = 0; i < 1 << (deepest - depth + 2); i++) total += build(depth).check();
  return [total, kept.check()];
}
console.log(run(15).join(" "));
