local band = require("bit").band
local function make_counter(step)
  local count = 0
  return function(n)
    count = count + n * step
    return count
  end
end
local function compose(f, g)
  return function(x) return f(g(x)) end
end
local function run(n)
  local bumps = {}
  for k = 1, 4 do bumps[k] = make_counter(k) end
  local chain = compose(function(x) return x + 1 end,
    compose(function(x) return x * 2 end, function(x) return x - 3 end))
  local total = 0
  for i = 0, n - 1 do
    for k = 1, #bumps do bumps[k](band(i, 3)) end
    total = total + chain(i)
  end
  local values = {}
  for k = 1, #bumps do values[k] = bumps[k](0) end
  return values, total
end
local values, total = run(450000)
print(table.concat(values, " ") .. " " .. total)
