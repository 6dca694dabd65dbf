function run(n) {
  const squares = new Map();
  for (let i = 0; i < n; i++) squares.set(i * 7 % n, i * i);
  let total = 0;
  for (let i = 0; i < n; i += 2) {
    // Beyond 2^31 the operators of 32 bits still see the low ones.
    total += (squares.get(i) ?? 0) & 15;
    squares.delete(i);
  }
  for (const key of squares.keys()) total += key & 3;
  // Keys that are pairs go by their text.
  const grid = new Map();
  for (let i = 0; i < n / 2; i++) {
    const spot = `${i % 300},${i % 7}`;
    grid.set(spot, (grid.get(spot) ?? 0) + 1);
  }
  const merged = new Map(grid);
  for (let k = 0; k < 100; k++) merged.set(`${k},-1`, k);
  const groups = new Map();
  for (const [spot, count] of merged) {
    const y = parseInt(spot.split(",")[1]);
    if (!groups.has(y)) groups.set(y, []);
    groups.get(y).push(count);
  }
  const sums = [...groups.values()].map((v) => v.reduce((a, b) => a + b, 0));
  return [squares.size, total, grid.size, merged.size, ...sums];
}
console.log(run(500000).join(" "));
