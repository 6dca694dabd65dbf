local band = require("bit").band
local wrap, yield = coroutine.wrap, coroutine.yield
local function count(n)
  return wrap(function()
    local i = 0
    while i < n do
      yield(i)
      i = i + 1
    end
  end)
end
local function evens(source)
  return wrap(function()
    for x in source do
      if band(x, 1) == 0 then yield(x) end
    end
  end)
end
local function squares(source)
  return wrap(function()
    for x in source do yield(x * x) end
  end)
end
local function tree(depth)
  return wrap(function()
    if depth > 0 then
      for x in tree(depth - 1) do yield(x) end
      yield(depth)
      for x in tree(depth - 1) do yield(x) end
    end
  end)
end
local total = 0
for x in squares(evens(count(2000000))) do total = (total + x) % 1000003 end
local sum = 0
for x in tree(15) do sum = sum + x end
print(total .. " " .. sum)
