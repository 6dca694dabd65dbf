local function matrix(n, seed)
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do
      seed = (seed * 137 + 187) % 1009
      row[j] = seed / 100.0
    end
    rows[i] = row
  end
  return rows
end
local function product(a, b)
  local n = #a
  local out = {}
  for i = 1, n do
    local left = a[i]
    local row = {}
    for j = 1, n do
      local total = 0.0
      for k = 1, n do total = total + left[k] * b[k][j] end
      row[j] = total
    end
    out[i] = row
  end
  return out
end
local function run(n)
  local c = product(matrix(n, 3), matrix(n, 5))
  local trace = 0.0
  for i = 1, n do trace = trace + c[i][i] end
  return trace
end
print(string.format("%.4f", run(190)))
