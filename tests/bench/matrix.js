function matrix(n, seed) {
  const rows = [];
  for (let i = 0; i < n; i++) {
    const row = [];
    for (let j = 0; j < n; j++) {
      seed = (seed * 137 + 187) % 1009;
      row.push(seed / 100.0);
    }
    rows.push(row);
  }
  return rows;
}
function product(a, b) {
  const n = a.length, out = [];
  for (let i = 0; i < n; i++) {
    const left = a[i], row = [];
    for (let j = 0; j < n; j++) {
      let total = 0.0;
      for (let k = 0; k < n; k++) total += left[k] * b[k][j];
      row.push(total);
    }
    out.push(row);
  }
  return out;
}
function run(n) {
  const c = product(matrix(n, 3), matrix(n, 5));
  let trace = 0.0;
  for (let i = 0; i < n; i++) trace += c[i][i];
  return trace;
}
console.log(run(190).toFixed(4));
