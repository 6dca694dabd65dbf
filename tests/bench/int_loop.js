function run(n) {
  let a = 1, b = 7, i = 0;
  while (i < n) {
    a = (a * 31 + b) % 1000003;
    b = b ^ (a & 255);
    i += 1;
  }
  let total = 0;
  for (let k = 0; k < n; k++) {
    if (k % 3 === 0) total += Math.floor(k / 3);
    else total -= 1;
  }
  return [a, b, total];
}
console.log(run(2200000).join(" "));
