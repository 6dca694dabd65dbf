function sieve(limit) {
  const flags = new Array(limit + 1).fill(true);
  flags[0] = flags[1] = false;
  for (let n = 2; n * n <= limit; n++)
    if (flags[n]) for (let k = n * n; k <= limit; k += n) flags[k] = false;
  let count = 0;
  for (let i = 0; i <= limit; i++) if (flags[i]) count += 1;
  return count;
}
console.log(sieve(2200000));
