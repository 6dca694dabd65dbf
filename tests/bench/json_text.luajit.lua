local sub, find = string.sub, string.find
local function skip(text, at)
  local c = sub(text, at, at)
  while c == " " or c == "\n" do
    at = at + 1
    c = sub(text, at, at)
  end
  return at
end
local parse
function parse(text, at)
  at = skip(text, at)
  local c = sub(text, at, at)
  if c == "{" then
    local out = { keys = {}, values = {} }
    at = skip(text, at + 1)
    while sub(text, at, at) ~= "}" do
      local key, value
      key, at = parse(text, at)
      value, at = parse(text, skip(text, at) + 1)
      if out.values[key] == nil then out.keys[#out.keys + 1] = key end
      out.values[key] = value
      at = skip(text, at)
      if sub(text, at, at) == "," then at = skip(text, at + 1) end
    end
    return out, at + 1
  end
  if c == "[" then
    local items = {}
    at = skip(text, at + 1)
    while sub(text, at, at) ~= "]" do
      local value
      value, at = parse(text, at)
      items[#items + 1] = value
      at = skip(text, at)
      if sub(text, at, at) == "," then at = skip(text, at + 1) end
    end
    return items, at + 1
  end
  if c == '"' then
    local close = find(text, '"', at + 1, true)
    return sub(text, at + 1, close - 1), close + 1
  end
  local start = at
  while find("0123456789", sub(text, at, at), 1, true) do at = at + 1 end
  return tonumber(sub(text, start, at - 1)), at
end
local function show(value, out)
  if type(value) == "table" and value.keys then
    out[#out + 1] = "{"
    for n, key in ipairs(value.keys) do
      if n > 1 then out[#out + 1] = "," end
      out[#out + 1] = '"' .. key .. '":'
      show(value.values[key], out)
    end
    out[#out + 1] = "}"
  elseif type(value) == "table" then
    out[#out + 1] = "["
    for n, item in ipairs(value) do
      if n > 1 then out[#out + 1] = "," end
      show(item, out)
    end
    out[#out + 1] = "]"
  elseif type(value) == "string" then
    out[#out + 1] = '"' .. value .. '"'
  else
    out[#out + 1] = tostring(value)
  end
end
local function run(n)
  local rows = {}
  for i = 0, n - 1 do
    rows[#rows + 1] = string.format(
      '{"id": %d, "name": "row-%d", "tags": ["a", "b", %d], "deep": {"x": [%d, [2]]}}',
      i, i, i % 7, i * 3)
  end
  local text = "[" .. table.concat(rows, ", ") .. "]"
  local value, stop = parse(text, 1)
  local out = {}
  show(value, out)
  local short = table.concat(out)
  local sum = 0
  for _, row in ipairs(value) do sum = sum + row.values.deep.values.x[1] end
  return #text, stop - 1, #value, #short, sum
end
print(table.concat({ run(16000) }, " "))
