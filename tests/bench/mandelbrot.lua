local function mandelbrot(size, limit)
  local inside = 0
  for row = 0, size - 1 do
    local ci = 2.0 * row / size - 1.0
    for column = 0, size - 1 do
      local cr = 2.0 * column / size - 1.5
      local zr, zi = 0.0, 0.0
      local n = 0
      local escaped = false
      while n < limit do
        local rr = zr * zr
        local ii = zi * zi
        if rr + ii > 4.0 then
          escaped = true
          break
        end
        zi = 2.0 * zr * zi + ci
        zr = rr - ii + cr
        n = n + 1
      end
      if not escaped then inside = inside + 1 end
    end
  end
  return inside
end
print(mandelbrot(260, 60))
