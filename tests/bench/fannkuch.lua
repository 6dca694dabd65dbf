local function fannkuch(n)
  local perm1, count = {}, {}
  for i = 0, n - 1 do
    perm1[i] = i
    count[i] = i + 1
  end
  local checksum, flips_max, sign = 0, 0, 0
  local r = n
  while true do
    while r ~= 1 do
      count[r - 1] = r
      r = r - 1
    end
    if perm1[0] ~= 0 and perm1[n - 1] ~= n - 1 then
      local perm = {}
      for i = 0, n - 1 do perm[i] = perm1[i] end
      local flips = 0
      local k = perm[0]
      while k ~= 0 do
        local i, j = 0, k
        while i < j do
          perm[i], perm[j] = perm[j], perm[i]
          i = i + 1
          j = j - 1
        end
        flips = flips + 1
        k = perm[0]
      end
      if flips > flips_max then flips_max = flips end
      checksum = checksum + (sign == 1 and -flips or flips)
    end
    while true do
      if r == n then return checksum, flips_max end
      local first = perm1[0]
      for i = 0, r - 1 do perm1[i] = perm1[i + 1] end
      perm1[r] = first
      count[r] = count[r] - 1
      if count[r] > 0 then break end
      r = r + 1
    end
    sign = 1 - sign
  end
end
local checksum, flips_max = fannkuch(9)
print(checksum .. " " .. flips_max)
