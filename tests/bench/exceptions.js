class Rejected extends Error {}
const counts = [0];
function check(n) {
  if (n % 7 === 0) throw new Rejected(n);
  return n;
}
function process(n) {
  try {
    return check(n);
  } finally {
    counts[0] += 1;
  }
}
let caught = 0, total = 0;
for (let i = 0; i < 1300000; i++) {
  try {
    total += process(i);
  } catch (e) {
    if (!(e instanceof Rejected)) throw e;
    caught += 1;
  }
}
console.log(caught, total, counts[0]);
