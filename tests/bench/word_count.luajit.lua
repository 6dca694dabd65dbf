-- (seed * 1103515245 + 12345) modulo 2^31 with doubles.
local function next_seed(seed)
  local low = seed % 65536
  local high = (seed - low) / 65536
  return (low * 1103515245 + high * 1103515245 % 32768 * 65536 + 12345) % 2147483648
end
local function run(n)
  local counts = {}
  local seed, size = 42, 0
  for _ = 1, n do
    seed = next_seed(seed)
    local word = "w" .. seed % 5000
    local count = counts[word]
    if count then
      counts[word] = count + 1
    else
      counts[word] = 1
      size = size + 1
    end
  end
  local best = 0
  for _, count in pairs(counts) do
    if count > best then best = count end
  end
  return size, best, counts["w77"]
end
print(table.concat({ run(1000000) }, " "))
