function run(n) {
  const counts = new Map();
  let seed = 42;
  for (let i = 0; i < n; i++) {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    const word = "w" + seed % 5000;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  let best = 0;
  for (const count of counts.values()) if (count > best) best = count;
  return [counts.size, best, counts.get("w77")];
}
console.log(run(1000000).join(" "));
