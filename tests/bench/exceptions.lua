local Rejected = {}
Rejected.__index = Rejected
local counts = { 0 }
local function check(n)
  if n % 7 == 0 then error(setmetatable({ n }, Rejected)) end
  return n
end
local function process(n)
  local ok, result = pcall(check, n)
  counts[1] = counts[1] + 1
  if not ok then error(result) end
  return result
end
local caught, total = 0, 0
for i = 0, 1299999 do
  local ok, result = pcall(process, i)
  if ok then
    total = total + result
  elseif getmetatable(result) == Rejected then
    caught = caught + 1
  end
end
print(caught .. " " .. total .. " " .. counts[1])
