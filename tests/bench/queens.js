function place(n, row, columns, rising, falling) {
  if (row === n) return 1;
  let found = 0;
  for (let c = 0; c < n; c++) {
    if (columns[c] && rising[row + c] && falling[row - c + n]) {
      columns[c] = rising[row + c] = falling[row - c + n] = false;
      found += place(n, row + 1, columns, rising, falling);
      columns[c] = rising[row + c] = falling[row - c + n] = true;
    }
  }
  return found;
}
const flags = (n) => new Array(n).fill(true);
const queens = (n) => place(n, 0, flags(n), flags(2 * n), flags(2 * n + 1));
console.log(queens(9), queens(12));
