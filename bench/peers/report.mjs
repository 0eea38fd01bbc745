// From samples to rows, and from rows to a table, to lines for programs, and to a plot.  Pure: reads and writes nothing.
import { geometricMean, median, percentile } from "../statistics.mjs";

const summary = (samples) => ({
  min: percentile(samples, 0),
  p50: median(samples),
  p99: percentile(samples, 99),
  count: samples.length,
});

// "" for a figure without a target.
function verdict(ratio, { target, aim }) {
  if (target === undefined) return "";
  if (!(ratio <= target)) return "missed";
  return aim !== undefined && ratio <= aim ? "aim met" : "met";
}

// `pairs` is a list of [our samples, their samples]: the ratio of a figure is the median over the ratios of its pairs.
export function makeRow(figure, pairs) {
  const ratio = median(pairs.map(([ours, theirs]) => median(ours) / median(theirs)));
  return {
    ...figure,
    ours: summary(pairs.flatMap(([ours]) => ours)),
    theirs: summary(pairs.flatMap(([, theirs]) => theirs)),
    ratio,
    pairs: pairs.length,
    verdict: verdict(ratio, figure),
  };
}

// The rows of the means whose group was measured whole, behind the rows of their group.
export function addMeans(rows, figures, means) {
  const result = [...rows];
  for (const mean of means) {
    const members = rows.filter((row) => row.group === mean.group);
    if (!members.length || members.length !== figures.filter((figure) => figure.group === mean.group).length) continue;
    const ratio = geometricMean(members.map((row) => row.ratio));
    const pairs = Math.min(...members.map((row) => row.pairs));
    result.splice(rows.indexOf(members.at(-1)) + 1, 0, { ...mean, ratio, pairs, verdict: verdict(ratio, mean) });
  }
  return result;
}

// ---- for people ---------------------------------------------------------------------------------------------------

// Three figures that count, never as a power of ten.
export function format(value) {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

const inUnit = (value, unit) => (unit === "KiB" ? `${format(value / 1024)} MiB` : `${format(value)} ${unit}`);

function side(values, unit) {
  if (!values) return ["", ""];
  const [min, p99] = [values.min, values.p99].map((value) => inUnit(value, unit).split(" ")[0]);
  return [inUnit(values.p50, unit), `${min} – ${p99}`];
}

export function table(rows) {
  const lines = [
    "| figure | against | ours, p50 | min – p99 | theirs, p50 | min – p99 | ratio | at most | aim | |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|---|",
  ];
  for (const row of rows) {
    const cells = [
      row.text.replaceAll("|", "\\|"),
      row.against.replaceAll("|", "\\|"),
      ...side(row.ours, row.unit),
      ...side(row.theirs, row.unit),
      format(row.ratio),
      row.target === undefined ? "" : format(row.target),
      row.aim === undefined ? "" : format(row.aim),
      row.verdict === "missed" ? "**missed**" : row.verdict,
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}

export function markdown(rows, facts) {
  const missed = rows.filter((row) => row.verdict === "missed").length;
  const targets = rows.filter((row) => row.target !== undefined).length;
  return [
    "# Side by side",
    "",
    ...facts.map(([what, value]) => `- ${what}: ${value}`),
    "",
    table(rows),
    `${targets - missed} of ${targets} targets met${missed ? `, ${missed} missed` : ""}.`,
    "",
    "A ratio is ours by theirs, the median over the pairs; below 1 we are ahead.  What is in each interval: docs/benchmarks.md.",
    "",
  ].join("\n");
}

// ---- for programs -------------------------------------------------------------------------------------------------

export function lines(rows, facts) {
  const sideFields = (name, values) =>
    values ? ["min", "p50", "p99", "count"].map((field) => `${name}_${field}=${values[field]}`) : [];
  return [
    ...facts.map(([what, value]) => `fact=${what.replaceAll(/[^A-Za-z0-9]+/g, "_")} value=${JSON.stringify(value)}`),
    ...rows.map((row) =>
      [
        `compare=${row.name}`,
        `unit=${row.unit ?? "ratio"}`,
        ...sideFields("ours", row.ours),
        ...sideFields("theirs", row.theirs),
        `ratio=${row.ratio}`,
        ...(row.target === undefined ? [] : [`target=${row.target}`]),
        ...(row.aim === undefined ? [] : [`aim=${row.aim}`]),
        `pairs=${row.pairs}`,
        `verdict=${row.verdict.replace(" ", "_") || "none"}`,
      ].join(" "),
    ),
    "",
  ].join("\n");
}

// ---- the plot -----------------------------------------------------------------------------------------------------

const COLOURS = { "aim met": "#2a7f4f", met: "#6fae5c", missed: "#c8452f", "": "#7a8aa0" };
const LABELS = 470; // where the bars begin
const WIDTH = 1010;
const ROW = 26;
const TOP = 70;

const escape = (text) =>
  text.replace(/[&<>"]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char]);

// A logarithmic scale over whole powers of ten that holds every value, and 1.
function scale(values) {
  const low = Math.floor(Math.log10(Math.min(...values, 0.1)));
  const high = Math.max(...values, 1) > 1 ? Math.log10(Math.max(...values) * 1.3) : 0.1;
  const width = WIDTH - LABELS - 60;
  return { low, high, x: (value) => LABELS + ((Math.log10(value) - low) / (high - low)) * width };
}

function bar(row, y, { x }) {
  const end = x(row.ratio);
  const mark = (value, dash) =>
    `<line x1="${x(value).toFixed(1)}" x2="${x(value).toFixed(1)}" y1="${y}" y2="${y + 18}" stroke="#222" stroke-width="2"${dash}/>`;
  return [
    `<text x="${LABELS - 10}" y="${y + 9}" text-anchor="end">${escape(row.text)}</text>`,
    `<text x="${LABELS - 10}" y="${y + 19}" text-anchor="end" class="small">${escape(row.against)}</text>`,
    `<rect x="${LABELS}" y="${y + 2}" width="${Math.max(0, end - LABELS).toFixed(1)}" height="14" fill="${COLOURS[row.verdict]}">` +
      `<title>${escape(`${row.name}: ${format(row.ratio)}${row.target === undefined ? "" : `, at most ${format(row.target)}`}`)}</title></rect>`,
    ...(row.target === undefined ? [] : [mark(row.target, "")]),
    ...(row.aim === undefined ? [] : [mark(row.aim, ' stroke-dasharray="3 2"')]),
    `<text x="${(Math.max(end, x(row.target ?? row.ratio)) + 6).toFixed(1)}" y="${y + 13}">${format(row.ratio)}</text>`,
  ];
}

export function svg(rows) {
  const axis = scale(rows.flatMap((row) => [row.ratio, row.target ?? row.ratio, row.aim ?? row.ratio]));
  const bottom = TOP + rows.length * ROW;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom + 40}" viewBox="0 0 ${WIDTH} ${bottom + 40}">`,
    "<style>text{font:12px sans-serif;fill:#222}.small{font-size:9px;fill:#777}.title{font-size:16px;font-weight:bold}</style>",
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="20" y="26" class="title">Ours by theirs: left of 1 we are ahead</text>`,
    `<text x="20" y="46">medians over pairs measured by turns; a line marks the most a ratio may be, a dashed one the aim</text>`,
  ];
  for (let power = axis.low; 10 ** power <= 10 ** axis.high; power++) {
    const at = axis.x(10 ** power).toFixed(1);
    const stroke = power === 0 ? "#222" : "#ddd";
    parts.push(`<line x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom}" stroke="${stroke}"/>`);
    parts.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle">${10 ** power}</text>`);
  }
  rows.forEach((row, i) => parts.push(...bar(row, TOP + i * ROW, axis)));
  return `${parts.join("\n")}\n</svg>\n`;
}
