function run(n) {
  let total = 0.0;
  for (let i = 0; i < n; i++) total += Math.sqrt(i);
  return total;
}
console.log(run(5000000).toFixed(4));
