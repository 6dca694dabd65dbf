local Account = { rate = 3, opened = 0 }
Account.__index = Account
local function run(n)
  local accounts, ring = {}, {}
  for k = 0, 7 do
    accounts[k + 1] = setmetatable({ owner = k, balance = 100 * k, moves = 0 }, Account)
    ring[k + 1] = { value = k }
  end
  for k = 0, 7 do ring[k + 1].next = ring[(k + 1) % 8 + 1] end
  local cell = ring[1]
  local total = 0
  for i = 0, n - 1 do
    local account = accounts[i % 8 + 1]
    account.balance = account.balance + account.rate
    account.moves = account.moves + 1
    if account.moves % 1024 == 0 then
      Account.opened = Account.opened + 1
      account.note = i
    end
    cell.value = cell.value + account.owner
    total = total + cell.value % 4
    cell = cell.next
  end
  for _, name in ipairs({ "balance", "moves", "owner" }) do
    for _, account in ipairs(accounts) do total = total + account[name] end
  end
  local noted = 0
  for _, account in ipairs(accounts) do
    if account.note then noted = noted + 1 end
  end
  return total, Account.opened, noted, accounts[4].balance, ring[6].value
end
print(table.concat({ run(900000) }, " "))
