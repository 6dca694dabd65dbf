function run(n) {
  const parts = [];
  for (let i = 0; i < n; i++) parts.push(`item-${String(i % 100).padStart(3, "0")}=${i}`);
  const text = parts.join(";");
  let total = 0;
  for (const field of text.split(";")) {
    const [name, value] = field.split("=");
    if (name.startsWith("item-04")) total += parseInt(value);
    total += name.toUpperCase().replaceAll("ITEM", "x").length;
  }
  let out = "";
  for (let i = 0; i < n; i++) out += i % 2 ? "ab" : "c";
  return [total, text.length, out.length, out.split("abc").length - 1, text.indexOf("item-099")];
}
console.log(run(400000).join(" "));
