// Runs bench_many and writes its rows as a table (many.md), as they are (many.txt) and as a plot (many.svg).
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [build, alive, isolates] = [resolve(process.argv[2]), process.argv[3], process.argv[4]];
const { status, stdout } = spawnSync(join(build, "bench_many"), ["--alive", alive, "--isolates", isolates], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) process.exit(status ?? 1);

const parse = (line) =>
  Object.fromEntries(line.split(" ").map((pair) => pair.split("=")).map(([k, v]) => [k, k === "row" ? v : Number(v)]));
const lines = stdout.trim().split("\n").map(parse);
const freed = lines.filter((line) => line.row.endsWith("_freed"));
const rows = lines.filter((line) => !line.row.endsWith("_freed"));
const names = [...new Set(rows.map((row) => row.row))];
const of = (name) => rows.filter((row) => row.row === name);

// ---- the table ----

const columns = [
  ["row", (r) => r.row],
  ["alive", (r) => r.count],
  ["start ms, least", (r) => r.start_min_ms.toFixed(2)],
  ["p50", (r) => r.start_p50_ms.toFixed(2)],
  ["least, × the first row's", (r) => (r.start_min_ms / of(r.row)[0].start_min_ms).toFixed(2)],
  ["first answer ms", (r) => r.answer_p50_ms.toFixed(2)],
  ["all answer again ms", (r) => r.again_p50_ms.toFixed(3)],
  ["KiB each", (r) => r.memory_kib],
];
const line = (cells) => `| ${cells.join(" | ")} |`;
const table = [
  line(columns.map(([title]) => title)),
  line(columns.map((_, i) => (i ? "---:" : "---"))),
  ...rows.map((row) => line(columns.map(([, cell]) => cell(row)))),
  "",
  ...freed.map((f) => `${f.row}: ${f.count} isolates, resident ${f.before_kib} → ${f.peak_kib} → ${f.after_kib} KiB ` +
    `(${(f.after_kib / f.before_kib).toFixed(2)} × the start's)`),
  "",
].join("\n");

// ---- the plot: start time and memory by how many are alive, both relative to the first row, on a logarithmic axis ----

const colours = ["#0b6", "#06c", "#c60", "#a0a"];
const width = 720, height = 320, left = 60, top = 20, most = 3;
const largest = Math.max(...rows.map((row) => row.count));
const x = (count) => left + (Math.log(count / 10) / Math.log(Math.max(largest / 10, 2))) * (width - left - 180);
const y = (ratio) => top + (1 - Math.min(ratio, most) / most) * (height - top - 40);
const path = (list) => list.map((p, i) => `${i ? "L" : "M"}${p[0].toFixed(1)},${p[1].toFixed(1)}`).join("");
const curve = (name, i) => {
  const list = of(name), points = list.map((r) => [x(r.count), y(r.start_min_ms / list[0].start_min_ms)]);
  return `<path d="${path(points)}" fill="none" stroke="${colours[i]}" stroke-width="2"/>` +
    `<text x="${width - 170}" y="${top + 15 + 18 * i}" fill="${colours[i]}">${name}</text>`;
};
const ticks = [...new Set(rows.map((row) => row.count))]
  .map((count) => `<text x="${x(count)}" y="${height - 20}" text-anchor="middle">${count}</text>`);
const grid = [0, 1, 2, 3].map((r) => `<path d="M${left},${y(r)}H${width - 180}" stroke="#ccc"/>` +
  `<text x="${left - 8}" y="${y(r) + 4}" text-anchor="end">${r} ×</text>`);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>${grid.join("")}${ticks.join("")}${names.map(curve).join("")}
<text x="${left}" y="${height - 4}">start of the next guest, relative to the first ten, by how many are alive</text></svg>\n`;

mkdirSync(join(build, "bench"), { recursive: true });
writeFileSync(join(build, "bench/many.md"), table);
writeFileSync(join(build, "bench/many.txt"), stdout);
writeFileSync(join(build, "bench/many.svg"), svg);
console.log(table);
