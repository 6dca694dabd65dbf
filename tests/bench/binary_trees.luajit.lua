local Node = {}
Node.__index = Node
function Node.new(left, right)
  return setmetatable({ left = left, right = right }, Node)
end
function Node:check()
  if self.left == nil then return 1 end
  return 1 + self.left:check() + self.right:check()
end
local function build(depth)
  if depth == 0 then return Node.new(nil, nil) end
  return Node.new(build(depth - 1), build(depth - 1))
end
local function run(deepest)
  local kept = build(deepest)
  local total = 0
  for depth = 4, deepest, 2 do
    for _ = 1, 2 ^ (deepest - depth + 2) do total = total + build(depth):check() end
  end
  return total, kept:check()
end
local total, kept = run(15)
print(total .. " " .. kept)
