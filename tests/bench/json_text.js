function skip(text, at) {
  while (text[at] === " " || text[at] === "\n") at += 1;
  return at;
}
function parse(text, at) {
  at = skip(text, at);
  const c = text[at];
  if (c === "{") {
    const out = new Map();
    at = skip(text, at + 1);
    while (text[at] !== "}") {
      let key, value;
      [key, at] = parse(text, at);
      [value, at] = parse(text, skip(text, at) + 1);
      out.set(key, value);
      at = skip(text, at);
      if (text[at] === ",") at = skip(text, at + 1);
    }
    return [out, at + 1];
  }
  if (c === "[") {
    const items = [];
    at = skip(text, at + 1);
    while (text[at] !== "]") {
      let value;
      [value, at] = parse(text, at);
      items.push(value);
      at = skip(text, at);
      if (text[at] === ",") at = skip(text, at + 1);
    }
    return [items, at + 1];
  }
  if (c === '"') {
    const end = text.indexOf('"', at + 1);
    return [text.slice(at + 1, end), end + 1];
  }
  const start = at;
  while ("0123456789".includes(text[at])) at += 1;
  return [parseInt(text.slice(start, at)), at];
}
function show(value, out) {
  if (value instanceof Map) {
    out.push("{");
    let first = true;
    for (const [key, item] of value) {
      if (!first) out.push(",");
      first = false;
      out.push('"' + key + '":');
      show(item, out);
    }
    out.push("}");
  } else if (Array.isArray(value)) {
    out.push("[");
    let first = true;
    for (const item of value) {
      if (!first) out.push(",");
      first = false;
      show(item, out);
    }
    out.push("]");
  } else if (typeof value === "string") out.push('"' + value + '"');
  else out.push(String(value));
}
function run(n) {
  const rows = [];
  for (let i = 0; i < n; i++)
    rows.push(`{"id": ${i}, "name": "row-${i}", "tags": ["a", "b", ${i % 7}], "deep": {"x": [${i * 3}, [2]]}}`);
  const text = "[" + rows.join(", ") + "]";
  const [value, end] = parse(text, 0);
  const out = [];
  show(value, out);
  const short = out.join("");
  let sum = 0;
  for (const row of value) sum += row.get("deep").get("x")[0];
  return [text.length, end, value.length, short.length, sum];
}
console.log(run(16000).join(" "));
