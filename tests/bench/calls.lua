local function defaults(a, b, c)
  b = b or 2
  c = c or 3
  return a + b * c
end
local function keywords(a, named)
  return a * (named.scale or 1) + (named.shift or 0)
end
local function star(...)
  local values = { ... }
  return #values + values[1]
end
local function apply(f, x, y)
  return f(x, y)
end
local function run(n)
  local total = 0
  for i = 0, n - 1 do
    total = total + defaults(i)
    total = total + defaults(i, nil, 1)
    total = total + keywords(i, { shift = 2 })
    total = total + star(i, i, i)
    total = total + apply(function(x, y) return x - y end, i, 1)
    total = total + math.max(i, 5) + math.abs(-i)
  end
  return total
end
print(run(350000))
