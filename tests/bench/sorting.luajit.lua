-- (seed * 1103515245 + 12345) modulo 2^31 with doubles.
local function next_seed(seed)
  local low = seed % 65536
  local high = (seed - low) / 65536
  return (low * 1103515245 + high * 1103515245 % 32768 * 65536 + 12345) % 2147483648
end
local function run(n)
  local seed = 7
  local records = {}
  for i = 0, n - 1 do
    seed = next_seed(seed)
    records[i + 1] = { seed % 1000, i }
  end
  -- table.sort is not stable, so the record's place decides between equals.
  local by_key = {}
  for i = 1, n do by_key[i] = records[i] end
  table.sort(by_key, function(a, b)
    if a[1] ~= b[1] then return a[1] > b[1] end
    return a[2] < b[2]
  end)
  local numbers, names = {}, {}
  for i = 1, n do
    local r = records[i]
    numbers[i] = r[1] * 1000 + r[2] % 1000
    names[i] = "n" .. r[1]
  end
  table.sort(numbers)
  table.sort(names, function(a, b) return #a < #b end)
  return by_key[1][1], by_key[n / 2 + 1][1], numbers[n / 3 + 1], #names[1], #names[n]
end
print(table.concat({ run(300000) }, " "))
