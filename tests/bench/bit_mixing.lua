local MASK = 0xFFFFFFFF
local function fnv(data)
  local h = 0x811C9DC5
  for i = 1, #data do h = ((h ~ data:byte(i)) * 0x01000193) & MASK end
  return h
end
local function xorshift(state, n)
  local total = 0
  for _ = 1, n do
    state = state ~ ((state << 13) & MASK)
    state = state ~ (state >> 17)
    state = state ~ ((state << 5) & MASK)
    total = (total + state) & MASK
  end
  return total
end
local function mix(n)
  local h = 0
  for i = 0, n - 1 do
    h = h ~ (i * 0x9E3779B1)
    h = (h << 7 | h >> 25) & MASK
  end
  return h
end
local bytes = {}
for i = 0, 499999 do bytes[i + 1] = string.char(i * 7 & 255) end
local data = table.concat(bytes)
print(fnv(data) .. " " .. xorshift(2463534242, 500000) .. " " .. mix(500000))
