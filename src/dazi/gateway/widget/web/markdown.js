// A small part of Markdown, drawn as elements: paragraphs, headings, lists, code, tables, emphasis,
// links to http and https. Pictures are never fetched: their words are shown. HTML is text.
const INLINE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*([^*]+?)\*\*|__([^_]+?)__|\*([^*\s][^*]*?)\*|!?\[([^\]\n]*)\]\(([^()\s]+)\)|\bhttps?:\/\/[^\s<>"'`()[\]{}，。；：！？、）】]+/g;

const safe = (address) => {
  try {
    const url = new URL(address);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : "";
  } catch {
    return "";
  }
};

const link = (address, children) => {
  const href = safe(address);
  if (!href) return make("span", {}, ...children);
  return make("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
};

const inline = (text, depth = 0) => {
  const out = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > from) out.push(reveal(text.slice(from, found.index)));
    from = found.index + found[0].length;
    const [whole, , code, bold, strong, thin, label, address] = found;
    const inner = (words) => (depth < 3 ? inline(words, depth + 1) : [reveal(words)]);
    if (code !== undefined) out.push(make("code", {}, reveal(code)));
    else if (bold ?? strong) out.push(make("strong", {}, ...inner(bold ?? strong)));
    else if (thin) out.push(make("em", {}, ...inner(thin)));
    else if (address !== undefined) {
      out.push(whole[0] === "!" ? reveal(label) : link(address, inner(label)));
    } else {
      const bare = whole.replace(/[.,;:!?]+$/, "");
      out.push(link(bare, [reveal(bare)]), whole.slice(bare.length));
    }
  }
  if (from < text.length) out.push(reveal(text.slice(from)));
  return out;
};

const LIST = /^\s{0,6}(?:([-*+])|(\d{1,4})[.)])\s+(.*)$/;
const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((c) => c.trim());

const table = (columns, rows) =>
  make("div", { class: "scroll", tabindex: "0" },
    make("table", {},
      make("thead", {}, make("tr", {}, ...columns.map((c) => make("th", { scope: "col" }, ...inline(c))))),
      make("tbody", {}, ...rows.map((r) => make("tr", {}, ...r.map((c) => make("td", {}, ...inline(c))))))));

const markdown = (text) => {
  const lines = text.split("\n");
  const out = [];
  const starts = (i) =>
    /^\s*```/.test(lines[i]) || /^#{1,6}\s/.test(lines[i]) || LIST.test(lines[i]) || isTable(i);
  const isTable = (i) =>
    lines[i].includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*$/.test(lines[i + 1] ?? "");
  for (let i = 0; i < lines.length; ) {
    const line = lines[i];
    if (!line.trim()) {
      i += 1;
    } else if (/^\s*```/.test(line)) {
      const code = [];
      for (i += 1; i < lines.length && !/^\s*```/.test(lines[i]); i += 1) code.push(lines[i]);
      i += 1;
      out.push(make("pre", { tabindex: "0" }, make("code", {}, reveal(code.join("\n")))));
    } else if (/^#{1,6}\s/.test(line)) {
      out.push(make("p", { class: "heading" }, ...inline(line.replace(/^#+\s*/, ""))));
      i += 1;
    } else if (isTable(i)) {
      const columns = cells(line);
      const rows = [];
      for (i += 2; i < lines.length && lines[i].includes("|"); i += 1) rows.push(cells(lines[i]));
      out.push(table(columns, rows));
    } else if (LIST.test(line)) {
      const first = LIST.exec(line);
      const list = make(first[1] ? "ul" : "ol", first[2] ? { start: first[2] } : {});
      for (; i < lines.length && LIST.test(lines[i]); i += 1) {
        list.append(make("li", {}, ...inline(LIST.exec(lines[i])[3])));
      }
      out.push(list);
    } else {
      const words = [line];
      for (i += 1; i < lines.length && lines[i].trim() && !starts(i); i += 1) words.push(lines[i]);
      const parts = words.flatMap((w, n) => (n ? [make("br"), ...inline(w)] : inline(w)));
      out.push(make("p", {}, ...parts));
    }
  }
  return out;
};
