local function run(n)
  local x, step = 0.0, 1.0 / n
  local area = 0.0
  while x < 1.0 do
    area = area + 4.0 / (1.0 + x * x) * step
    x = x + step
  end
  local roots = 0.0
  for k = 1, n / 4 - 1 do
    local guess = k * 0.5
    guess = 0.5 * (guess + k / guess)
    guess = 0.5 * (guess + k / guess)
    guess = 0.5 * (guess + k / guess)
    roots = roots + guess
  end
  local level, peak = 0.0, 0.0
  for k = 0, n - 1 do
    level = 0.9 * level + 0.1 * (k % 17 - 8.0)
    if level > peak then
      peak = level
    elseif level < -peak then
      peak = -level
    end
  end
  return area, roots, level, peak
end
print(string.format("%.6f %.3f %.6f %.6f", run(1200000)))
