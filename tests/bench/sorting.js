function run(n) {
  let seed = 7;
  const records = [];
  for (let i = 0; i < n; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    records.push([seed % 1000, i]);
  }
  const byKey = records.slice().sort((a, b) => b[0] - a[0]);
  const numbers = records.map((r) => r[0] * 1000 + r[1] % 1000);
  numbers.sort((a, b) => a - b);
  const names = records.map((r) => "n" + r[0]).sort((a, b) => a.length - b.length);
  return [byKey[0][0], byKey[n / 2][0], numbers[n / 3], names[0].length, names[n - 1].length];
}
console.log(run(300000).join(" "));
