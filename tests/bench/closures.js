function makeCounter(step) {
  let count = 0;
  return (n) => (count += n * step);
}
const compose = (f, g) => (x) => f(g(x));
function run(n) {
  const bumps = [1, 2, 3, 4].map(makeCounter);
  const chain = compose((x) => x + 1, compose((x) => x * 2, (x) => x - 3));
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (const bump of bumps) bump(i & 3);
    total += chain(i);
  }
  return [...bumps.map((bump) => bump(0)), total];
}
console.log(run(450000).join(" "));
