// The operators of JavaScript are of 32 bits with a sign, its numbers doubles.
const WORD = 0x100000000;
function fnv(data) {
  let h = 0x811c9dc5;
  for (const byte of data) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}
function xorshift(state, n) {
  let total = 0;
  for (let i = 0; i < n; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    total = (total + state) >>> 0;
  }
  return total;
}
function mix(n) {
  let h = 0;
  for (let i = 0; i < n; i++) {
    const product = i * 0x9e3779b1;
    const x = h ^ (product % WORD);
    h = (x << 7) | (Math.floor(product / WORD) * 128 + (x >>> 25));
  }
  return h >>> 0;
}
const data = new Uint8Array(500000);
for (let i = 0; i < data.length; i++) data[i] = (i * 7) & 255;
console.log(fnv(data), xorshift(2463534242, 500000), mix(500000));
