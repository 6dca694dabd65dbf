local band = require("bit").band
local Counter = {}
Counter.__index = Counter
function Counter.new(step)
  return setmetatable({ step = step, total = 0 }, Counter)
end
function Counter:add(n) self.total = self.total + n * self.step end
function Counter:value() return self.total end
local Offset = setmetatable({}, { __index = Counter })
Offset.__index = Offset
function Offset.new(step, offset)
  local self = setmetatable(Counter.new(step), Offset)
  self.offset = offset
  return self
end
function Offset:value() return self.total + self.offset end
local function run(n)
  local counters = { Counter.new(1), Offset.new(2, 10), Counter.new(3) }
  local seen = 0
  for i = 0, n - 1 do
    for k = 1, #counters do
      local c = counters[k]
      c:add(band(i, 7))
      if band(c:value(), 1) == 1 then seen = seen + 1 end
    end
  end
  return seen, counters
end
local seen, counters = run(500000)
print(seen .. " " .. counters[1]:value() .. " " .. counters[2]:value() .. " " .. counters[3]:value())
