local bit = require("bit")
local band, bxor = bit.band, bit.bxor
local function run(n)
  local a, b, i = 1, 7, 0
  while i < n do
    a = (a * 31 + b) % 1000003
    b = bxor(b, band(a, 255))
    i = i + 1
  end
  local total = 0
  for k = 0, n - 1 do
    if k % 3 == 0 then total = total + k / 3 else total = total - 1 end
  end
  return a, b, total
end
local a, b, t = run(2200000)
print(a .. " " .. b .. " " .. t)
