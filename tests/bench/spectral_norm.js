const a = (i, j) => 1.0 / (Math.floor((i + j) * (i + j + 1) / 2) + i + 1);
function times(v, n) {
  const out = [];
  for (let i = 0; i < n; i++) {
    let sum = 0.0;
    for (let j = 0; j < n; j++) sum += a(i, j) * v[j];
    out.push(sum);
  }
  return out;
}
function timesTransposed(v, n) {
  const out = [];
  for (let i = 0; i < n; i++) {
    let sum = 0.0;
    for (let j = 0; j < n; j++) sum += a(j, i) * v[j];
    out.push(sum);
  }
  return out;
}
function run(n) {
  let u = new Array(n).fill(1.0), v;
  for (let k = 0; k < 4; k++) {
    v = timesTransposed(times(u, n), n);
    u = timesTransposed(times(v, n), n);
  }
  let vbv = 0.0, vv = 0.0;
  for (let i = 0; i < n; i++) {
    vbv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return Math.sqrt(vbv / vv);
}
console.log(run(300).toFixed(6));
