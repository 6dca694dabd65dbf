const defaults = (a, b = 2, c = 3) => a + b * c;
const keywords = (a, { scale = 1, shift = 0 }) => a * scale + shift;
const star = (...values) => values.length + values[0];
const apply = (f, x, y) => f(x, y);
function run(n) {
  let total = 0;
  for (let i = 0; i < n; i++) {
    total += defaults(i);
    total += defaults(i, undefined, 1);
    total += keywords(i, { shift: 2 });
    total += star(i, i, i);
    total += apply((x, y) => x - y, i, 1);
    total += Math.max(i, 5) + Math.abs(-i);
  }
  return total;
}
console.log(run(350000));
