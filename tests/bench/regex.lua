local function run(n)
  local lines = {}
  for i = 0, n - 1 do
    lines[#lines + 1] = string.format("user%d@host%d.org sent %d bytes to 10.%d.%d.9 in %dms;",
      i % 89, i % 31, i * 37, i % 7, i % 250, i % 13)
  end
  local text = table.concat(lines, "\n")
  local mails = 0
  for name, host in text:gmatch("([%w_]+)@([%w_]+)%.org") do mails = mails + #name + #host end
  local total = 0
  for _, line in ipairs(lines) do total = total + line:match("sent (%d+) bytes") end
  local addresses = 0
  for _, third in text:gmatch("10%.(%d+)%.(%d+)%.(%d+)") do addresses = addresses + third end
  local masked = text:gsub("%d+", function(digits) return ("#"):rep(#digits) end)
  local _, count = masked:gsub("#", "#")
  return mails, total, addresses, #masked, count
end
print(table.concat({ run(9000) }, " "))
