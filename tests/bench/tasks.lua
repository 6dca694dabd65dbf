local create, resume, status, yield =
  coroutine.create, coroutine.resume, coroutine.status, coroutine.yield
local END = {}
local function producer(channel, n)
  return create(function()
    for i = 0, n - 1 do
      channel[#channel + 1] = i
      yield()
    end
    channel[#channel + 1] = END
  end)
end
local function consumer(channel, totals)
  return create(function()
    local total = 0
    while true do
      while #channel == 0 do yield() end
      local item = table.remove(channel)
      if item == END then break end
      total = total + item
    end
    totals[#totals + 1] = total
  end)
end
local function run(pairs, n)
  local ready, totals = {}, {}
  for _ = 1, pairs do
    local channel = {}
    ready[#ready + 1] = producer(channel, n)
    ready[#ready + 1] = consumer(channel, totals)
  end
  local switches = 0
  while #ready > 0 do
    local alive = {}
    for _, task in ipairs(ready) do
      resume(task)
      if status(task) ~= "dead" then
        switches = switches + 1
        alive[#alive + 1] = task
      end
    end
    ready = alive
  end
  local sum = 0
  for _, t in ipairs(totals) do sum = sum + t end
  return switches, #totals, sum
end
print(table.concat({ run(50, 25000) }, " "))
