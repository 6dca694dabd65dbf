class Account {
  static rate = 3;
  static opened = 0;
  constructor(owner, balance) {
    this.owner = owner;
    this.balance = balance;
    this.moves = 0;
  }
}
class Cell {
  constructor(value) {
    this.value = value;
    this.next = null;
  }
}
function run(n) {
  const accounts = [], ring = [];
  for (let k = 0; k < 8; k++) {
    accounts.push(new Account(k, 100 * k));
    ring.push(new Cell(k));
  }
  for (let k = 0; k < 8; k++) ring[k].next = ring[(k + 1) % 8];
  let cell = ring[0], total = 0;
  for (let i = 0; i < n; i++) {
    const account = accounts[i & 7];
    account.balance += Account.rate;
    account.moves += 1;
    if ((account.moves & 1023) === 0) {
      Account.opened += 1;
      account.note = i;
    }
    cell.value += account.owner;
    total += cell.value & 3;
    cell = cell.next;
  }
  for (const name of ["balance", "moves", "owner"])
    for (const account of accounts) total += account[name];
  const noted = accounts.filter((account) => "note" in account).length;
  return [total, Account.opened, noted, accounts[3].balance, ring[5].value];
}
console.log(run(900000).join(" "));
