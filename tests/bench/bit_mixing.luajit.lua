-- The operations of LuaJIT are of 32 bits with a sign, its numbers doubles.
local bit = require("bit")
local band, bor, bxor, lshift, rshift = bit.band, bit.bor, bit.bxor, bit.lshift, bit.rshift
local WORD = 0x100000000
local function fnv(data)
  local h = 0x811C9DC5
  for i = 1, #data do
    h = bxor(h, data:byte(i)) % WORD
    h = (h * 403 + h % 256 * 0x01000000) % WORD
  end
  return h
end
local function xorshift(state, n)
  local total = 0
  for _ = 1, n do
    state = bxor(state, lshift(state, 13))
    state = bxor(state, rshift(state, 17))
    state = bxor(state, lshift(state, 5))
    total = (total + state) % WORD
  end
  return total
end
local function mix(n)
  local h = 0
  for i = 0, n - 1 do
    local product = i * 0x9E3779B1
    local low = product % WORD
    local high = (product - low) / WORD
    local x = bxor(h, low)
    h = bor(lshift(x, 7), high * 128 + rshift(x, 25))
  end
  return h % WORD
end
local bytes = {}
for i = 0, 499999 do bytes[i + 1] = string.char(band(i * 7, 255)) end
local data = table.concat(bytes)
print(fnv(data) .. " " .. xorshift(2463534242, 500000) .. " " .. mix(500000))
