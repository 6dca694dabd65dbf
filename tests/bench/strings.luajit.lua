local function run(n)
  local parts = {}
  for i = 0, n - 1 do
    parts[#parts + 1] = string.format("item-%03d=%d", i % 100, i)
  end
  local text = table.concat(parts, ";")
  local total = 0
  for field in text:gmatch("[^;]+") do
    local name, value = field:match("([^=]*)=(.*)")
    if name:sub(1, 7) == "item-04" then total = total + tonumber(value) end
    total = total + #(name:upper():gsub("ITEM", "x"))
  end
  -- Lua's own way to append in a loop: `..` would copy the whole text each time.
  local buffer = {}
  for i = 0, n - 1 do
    buffer[#buffer + 1] = i % 2 == 1 and "ab" or "c"
  end
  local out = table.concat(buffer)
  local _, count = out:gsub("abc", "abc")
  return total, #text, #out, count, text:find("item-099", 1, true) - 1
end
print(table.concat({ run(400000) }, " "))
