// Bars or lines of the numbers of a table, drawn as the console draws them; the table stands below.
const HUES = ["#0f8a7e", "#e0a040", "#5b7fd6", "#c9657b", "#7a9a4f", "#8a6fb8"];

const chart = (words, { title, columns, rows, chart: { kind, unit, values } }) => {
  const [left, right, top, foot] = [46, 314, 18, 148];
  const known = values.flat().filter((v) => v !== null);
  const low = Math.min(0, ...known), high = Math.max(0, ...known);
  const slot = (right - left) / rows.length;
  const at = (i) => left + slot * (i + 0.5);
  const y = (v) => top + ((foot - top) * (high - v)) / (high - low || 1);
  const short = new Intl.NumberFormat(words.lang, { notation: "compact", maximumSignificantDigits: 3 });
  const text = (x, y, said, anchor) => shape("text", { x, y, "text-anchor": anchor }, reveal(said));
  const level = (v) => [shape("path", { class: "level", d: `M${left} ${y(v)}H${right}` }),
    text(left - 5, y(v) + 3, short.format(v), "end")];
  const point = (i, n) => shape("title", {}, reveal(`${rows[i][0]} ${columns[n + 1]}: ${rows[i][n + 1]}`));
  const bar = (v, i, n) => {
    const width = (slot * 0.72) / values.length;
    return shape("rect", { x: at(i) - slot * 0.36 + width * n, y: Math.min(y(v), y(0)), width,
      height: Math.abs(y(v) - y(0)), fill: HUES[n] }, point(i, n));
  };
  const dot = (v, i, n) => shape("circle", { cx: at(i), cy: y(v), r: 3, fill: HUES[n] }, point(i, n));
  const line = (series, n) => {
    const d = series.map((v, i) => (v === null ? "" : `${series[i - 1] == null ? "M" : "L"}${at(i)} ${y(v)}`));
    // A second way to tell lines apart, for those who do not see the colours.
    return shape("path", { class: "line", d: d.join(""), stroke: HUES[n], "stroke-dasharray": ["none", "6 3", "2 3"][n % 3] });
  };
  const wide = (said) => [...said].reduce((n, c) => n + (c < "\u2e80" ? 6 : 10), 6);
  const every = Math.ceil(Math.min(Math.max(...rows.map(([name]) => wide(name))), (right - left) / 3) / slot);
  const room = slot * every;
  const cut = (name) => (wide(name) > room ? `${name.slice(0, room / 10 - 2)}…` : name);
  const named = rows.map(([name], i) =>
    (i % every || i + every / 2 > rows.length ? "" : text(at(i), foot + 14, cut(name), "middle")));
  const drawn = values.flatMap((series, n) => [...(kind === "line" ? [line(series, n)] : []),
    ...series.flatMap((v, i) => (v === null ? [] : [(kind === "line" ? dot : bar)(v, i, n)]))]);
  const said = columns.slice(1).map((name, n) => {
    const own = values[n].filter((v) => v !== null);
    return `${name}: ${own.length ? `${Math.min(...own)} – ${Math.max(...own)} ${unit}` : "–"}`;
  });
  const svg = shape("svg", { class: "plot", viewBox: "0 0 320 166", role: "img" },
    shape("title", {}, reveal(title)), shape("desc", {}, reveal(said.join("; "))),
    ...[...new Set([low, low ? 0 : high / 2, high])].flatMap(level), text(4, 10, unit, "start"), ...named, ...drawn);
  const key = (name, n) => {
    const mark = make("span", {}, "■ ");
    mark.style.color = HUES[n];
    return make("span", {}, mark, `${reveal(name)} `);
  };
  return [svg, ...(values.length > 1 ? [make("p", { class: "quiet" }, ...columns.slice(1).map(key))] : []),
    make("details", {}, make("summary", { class: "quiet" }, words.table), table(columns, rows))];
};
