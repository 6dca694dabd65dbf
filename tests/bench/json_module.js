function run(n) {
  let rows = [];
  for (let i = 0; i < n; i++) {
    rows.push({
      id: i,
      name: `row-${i}`,
      price: i * 0.25,
      tags: ["a", "b\n", null, i % 2 === 0],
      deep: { x: [i * 3, [2]] },
    });
  }
  let size = 0, total = 0;
  for (let k = 0; k < 6; k++) {
    const text = JSON.stringify(rows);
    // A float of Python keeps its point.
    size += text.length + 2 * Math.ceil(n / 4);
    rows = JSON.parse(text);
    for (const row of rows) total += row.deep.x[0];
  }
  return [size, total, rows[rows.length - 1].name, rows[1].tags[1].length];
}
console.log(run(7000).join(" "));
