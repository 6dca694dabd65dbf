function run(n) {
  const lines = [];
  for (let i = 0; i < n; i++)
    lines.push(`user${i % 89}@host${i % 31}.org sent ${i * 37} bytes to 10.${i % 7}.${i % 250}.9 in ${i % 13}ms;`);
  const text = lines.join("\n");
  let mails = 0;
  for (const [, name, host] of text.matchAll(/(\w+)@(\w+)\.org/g)) mails += name.length + host.length;
  let total = 0;
  const amount = /sent (\d+) bytes/;
  for (const line of lines) total += parseInt(amount.exec(line)[1]);
  let addresses = 0;
  for (const found of text.matchAll(/10\.(\d+)\.(\d+)\.(\d+)/g)) addresses += parseInt(found[2]);
  const masked = text.replace(/\d+/g, (digits) => "#".repeat(digits.length));
  return [mails, total, addresses, masked.length, masked.split("#").length - 1];
}
console.log(run(9000).join(" "));
