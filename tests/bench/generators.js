function* count(n) {
  for (let i = 0; i < n; i++) yield i;
}
function* evens(source) {
  for (const x of source) if ((x & 1) === 0) yield x;
}
function* squares(source) {
  for (const x of source) yield x * x;
}
function* tree(depth) {
  if (depth) {
    yield* tree(depth - 1);
    yield depth;
    yield* tree(depth - 1);
  }
}
let total = 0, sum = 0;
for (const x of squares(evens(count(2000000)))) total = (total + x) % 1000003;
for (const x of tree(15)) sum += x;
console.log(total, sum);
