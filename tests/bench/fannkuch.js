function fannkuch(n) {
  const perm1 = [], count = [];
  for (let i = 0; i < n; i++) {
    perm1.push(i);
    count.push(i + 1);
  }
  let checksum = 0, flipsMax = 0, sign = 0, r = n;
  for (;;) {
    while (r !== 1) {
      count[r - 1] = r;
      r -= 1;
    }
    if (perm1[0] !== 0 && perm1[n - 1] !== n - 1) {
      const perm = perm1.slice();
      let flips = 0, k = perm[0];
      while (k) {
        for (let i = 0, j = k; i < j; i++, j--) {
          const swap = perm[i];
          perm[i] = perm[j];
          perm[j] = swap;
        }
        flips += 1;
        k = perm[0];
      }
      if (flips > flipsMax) flipsMax = flips;
      checksum += sign ? -flips : flips;
    }
    for (;;) {
      if (r === n) return [checksum, flipsMax];
      const first = perm1[0];
      for (let i = 0; i < r; i++) perm1[i] = perm1[i + 1];
      perm1[r] = first;
      count[r] -= 1;
      if (count[r] > 0) break;
      r += 1;
    }
    sign = 1 - sign;
  }
}
console.log(fannkuch(9).join(" "));
