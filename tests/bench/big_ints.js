function fibonacci(n) {
  let a = 0n, b = 1n;
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
}
function factorial(n) {
  let product = 1n;
  for (let k = 2n; k <= n; k++) product *= k;
  return product;
}
const f = fibonacci(40000);
const p = factorial(2500n);
console.log([f % 1000003n, p % 1000000007n, f % 998244353n].join(" "));
