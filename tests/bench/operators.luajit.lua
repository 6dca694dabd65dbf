-- The length of a table cannot be redefined here, so that the function is called by name.
local band = require("bit").band
local Vector = {}
local function new(x, y)
  return setmetatable({ x = x, y = y }, Vector)
end
function Vector.__add(a, b) return new(a.x + b.x, a.y + b.y) end
function Vector.__sub(a, b) return new(a.x - b.x, a.y - b.y) end
function Vector.__mul(a, k) return new(a.x * k, a.y * k) end
function Vector.__eq(a, b) return a.x == b.x and a.y == b.y end
function Vector.__lt(a, b) return a.x < b.x end
function Vector.__index(a, i) return i == 0 and a.x or a.y end
function Vector.__len() return 2 end
local function run(n)
  local step, at = new(1, 2), new(0, 0)
  local same, less, total = 0, 0, 0
  for i = 0, n - 1 do
    at = at + step * 3 - step
    if at == step then same = same + 1 end
    if step < at then less = less + 1 end
    total = total + at[band(i, 1)] + Vector.__len(at)
  end
  return at.x, at.y, same, less, total
end
print(table.concat({ run(250000) }, " "))
