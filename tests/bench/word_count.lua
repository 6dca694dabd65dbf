local function run(n)
  local counts = {}
  local seed, size = 42, 0
  for _ = 1, n do
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
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
