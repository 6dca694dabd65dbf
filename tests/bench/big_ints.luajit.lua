local floor = math.floor
-- Numbers as lists of digits to the base 10^7, the lowest first.
local BASE = 10000000
local function add(a, b)
  local out, carry = {}, 0
  for i = 1, math.max(#a, #b) do
    local s = (a[i] or 0) + (b[i] or 0) + carry
    if s >= BASE then
      out[i], carry = s - BASE, 1
    else
      out[i], carry = s, 0
    end
  end
  if carry > 0 then out[#out + 1] = carry end
  return out
end
local function scale(a, k)
  local out, carry = {}, 0
  for i = 1, #a do
    local p = a[i] * k + carry
    out[i], carry = p % BASE, floor(p / BASE)
  end
  while carry > 0 do
    out[#out + 1], carry = carry % BASE, floor(carry / BASE)
  end
  return out
end
local function rest(a, m)
  local r = 0
  for i = #a, 1, -1 do r = (r * 1000 % m * 10000 + a[i]) % m end
  return r
end
local a, b = { 0 }, { 1 }
for _ = 1, 40000 do a, b = b, add(a, b) end
local p = { 1 }
for k = 2, 2500 do p = scale(p, k) end
print(rest(a, 1000003) .. " " .. rest(p, 1000000007) .. " " .. rest(a, 998244353))
