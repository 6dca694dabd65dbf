local function sieve(limit)
  local flags = {}
  for i = 0, limit do flags[i] = true end
  flags[0], flags[1] = false, false
  local n = 2
  while n * n <= limit do
    if flags[n] then
      local k = n * n
      while k <= limit do
        flags[k] = false
        k = k + n
      end
    end
    n = n + 1
  end
  local count = 0
  for i = 0, limit do
    if flags[i] then count = count + 1 end
  end
  return count
end
print(sieve(2200000))
