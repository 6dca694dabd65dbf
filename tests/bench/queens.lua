local function place(n, row, columns, rising, falling)
  if row == n then return 1 end
  local found = 0
  for c = 0, n - 1 do
    if columns[c] and rising[row + c] and falling[row - c + n] then
      columns[c], rising[row + c], falling[row - c + n] = false, false, false
      found = found + place(n, row + 1, columns, rising, falling)
      columns[c], rising[row + c], falling[row - c + n] = true, true, true
    end
  end
  return found
end
local function flags(n)
  local t = {}
  for i = 0, n - 1 do t[i] = true end
  return t
end
local function queens(n)
  return place(n, 0, flags(n), flags(2 * n), flags(2 * n + 1))
end
print(queens(9) .. " " .. queens(12))
