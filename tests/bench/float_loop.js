function run(n) {
  let x = 0.0, area = 0.0;
  const step = 1.0 / n;
  while (x < 1.0) {
    area += 4.0 / (1.0 + x * x) * step;
    x += step;
  }
  let roots = 0.0;
  for (let k = 1; k < n / 4; k++) {
    let guess = k * 0.5;
    guess = 0.5 * (guess + k / guess);
    guess = 0.5 * (guess + k / guess);
    guess = 0.5 * (guess + k / guess);
    roots += guess;
  }
  let level = 0.0, peak = 0.0;
  for (let k = 0; k < n; k++) {
    level = 0.9 * level + 0.1 * (k % 17 - 8.0);
    if (level > peak) peak = level;
    else if (level < -peak) peak = -level;
  }
  return [area.toFixed(6), roots.toFixed(3), level.toFixed(6), peak.toFixed(6)];
}
console.log(run(1200000).join(" "));
