local function run(n)
  local total = 0.0
  for i = 0, n - 1 do
    total = total + math.sqrt(i)
  end
  return total
end
print(string.format("%.4f", run(5000000)))
