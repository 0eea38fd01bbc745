// The table, the lines and the plot of bench/peers, from samples made up here.
import { deepStrictEqual, ok, strictEqual } from "node:assert";

import { figures, means } from "../../bench/peers/figures.mjs";
import { addMeans, format, lines, makeRow, markdown, svg, table } from "../../bench/peers/report.mjs";
import { geometricMean, median, percentile } from "../../bench/statistics.mjs";

let failed = false;
function test(name, body) {
  try {
    body();
    console.log(`ok ${name}`);
  } catch (error) {
    failed = true;
    console.log(`not ok ${name}\n    ${error.message.replaceAll("\n", "\n    ")}`);
  }
}

const figure = { name: "f", text: "a <figure>", against: "a | peer", unit: "ms", target: 0.5, aim: 0.25 };
const row = (ratio, more) => makeRow({ ...figure, ...more }, [[[ratio], [1]]]);

test("median of odd, even and one", () => {
  strictEqual(median([9, 1, 5]), 5);
  strictEqual(median([10, 9, 1, 2]), 5.5);
  strictEqual(median([3]), 3);
});
test("medians go by value, not by text", () => strictEqual(median([10, 9, 100]), 10));
test("percentiles are values that were seen", () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  deepStrictEqual(
    [0, 50, 99, 100].map((percent) => percentile(values, percent)),
    [1, 100, 198, 200],
  );
  strictEqual(percentile([7], 99), 7);
});
test("the geometric mean", () => ok(Math.abs(geometricMean([0.5, 2, 8]) - 2) < 1e-12));

test("a ratio is the median over pairs, not the ratio of medians", () => {
  const { ratio, ours, theirs, pairs } = makeRow(figure, [
    [[1], [10]],
    [[100], [200]],
    [[4], [5]],
  ]);
  deepStrictEqual([ratio, ours.p50, theirs.p50, pairs], [0.5, 4, 10, 3]);
});
test("a pair's rounds count by their medians", () => {
  const { ratio, ours } = makeRow(figure, [
    [
      [1, 2, 900],
      [4, 4, 4],
    ],
  ]);
  deepStrictEqual([ratio, ours.count, ours.min, ours.p99], [0.5, 3, 1, 900]);
});
test("verdicts at and beside the bounds", () => {
  const verdicts = [0.2, 0.25, 0.26, 0.5, 0.51].map((ratio) => row(ratio).verdict);
  deepStrictEqual(verdicts, ["aim met", "aim met", "met", "met", "missed"]);
  strictEqual(row(0.1, { aim: undefined }).verdict, "met");
  strictEqual(row(NaN).verdict, "missed");
});

const members = [1, 2].map((n) => ({ ...figure, name: `w${n}`, group: "work", target: 1, aim: undefined }));
const mean = { name: "work", group: "work", text: "mean", against: "a peer", target: 0.75 };
test("a mean stands behind its group", () => {
  const measured = [makeRow(members[0], [[[1], [4]]]), makeRow(members[1], [[[1], [1]]]), row(0.3)];
  const rows = addMeans(measured, members, [mean]);
  deepStrictEqual(
    rows.map(({ name }) => name),
    ["w1", "w2", "work", "f"],
  );
  deepStrictEqual([rows[2].ratio, rows[2].verdict], [0.5, "met"]);
});
test("there is no mean of half a group", () =>
  deepStrictEqual(addMeans([makeRow(members[0], [[[1], [4]]])], members, [mean]).length, 1));

test("numbers keep three figures and no exponent", () =>
  deepStrictEqual([0, 0.00123456, 0.0456, 1, 12.345, 123.45, 98765].map(format), [
    "0",
    "0.00123",
    "0.0456",
    "1.00",
    "12.3",
    "123",
    "98765",
  ]));

const rows = [row(0.2), row(0.4, { unit: "KiB", name: "g" }), { ...mean, ratio: 2, pairs: 1, verdict: "missed" }];
test("the table has a line for each row, with as many cells", () => {
  const text = table(rows).trimEnd().split("\n");
  strictEqual(text.length, 2 + rows.length);
  for (const line of text) strictEqual(line.replaceAll("\\|", "").split("|").length, 12);
  ok(text[2].endsWith("| aim met |"));
  ok(text[4].includes("| 2.00 | 0.750 |") && text[4].endsWith("| **missed** |"));
});
test("KiB are shown as MiB", () => ok(table([row(2048, { unit: "KiB" })]).includes("| 2.00 MiB | 2.00 – 2.00 |")));
test("a missed target is said plainly", () => {
  const text = markdown(rows, [["machine", "one"]]);
  ok(text.includes("- machine: one") && text.includes("2 of 3 targets met, 1 missed."));
});
test("lines for programs hold every figure whole", () => {
  const [fact, first, , last] = lines(rows, [["isolated-vm", 'a "b"']]).split("\n");
  strictEqual(fact, 'fact=isolated_vm value="a \\"b\\""');
  const fields = Object.fromEntries(first.split(" ").map((field) => field.split("=")));
  deepStrictEqual([fields.compare, fields.unit, fields.ours_p50, fields.theirs_p99], ["f", "ms", "0.2", "1"]);
  deepStrictEqual([fields.ratio, fields.target, fields.aim, fields.verdict], ["0.2", "0.5", "0.25", "aim_met"]);
  strictEqual(last, "compare=work unit=ratio ratio=2 target=0.75 pairs=1 verdict=missed");
});

test("the plot has a bar for each row, as long as its ratio", () => {
  const text = svg(rows);
  const widths = [...text.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
  strictEqual(widths.length, rows.length);
  ok(widths[0] < widths[1] && widths[1] < widths[2]);
  const fills = [...text.matchAll(/<rect x[^>]* fill="([^"]+)"/g)].map(([, fill]) => fill);
  strictEqual(new Set(fills).size, 3);
});
test("the plot is well-formed and holds no text as markup", () => {
  const text = svg(rows);
  ok(text.includes("a &lt;figure&gt;") && !text.includes("<figure>") && !text.includes("NaN"));
  const open = [];
  for (const [, close, name, empty] of text.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (close) strictEqual(open.pop(), name);
    else if (!empty) open.push(name);
  }
  deepStrictEqual(open, []);
});
test("every bar lies inside the plot", () => {
  for (const ratio of [0.001, 0.3, 1, 40]) {
    const text = svg([row(ratio)]);
    const [, x, width] = /<rect x="(\d+)" y="\d+" width="([\d.]+)"/.exec(text);
    ok(Number(x) + Number(width) <= Number(/ width="(\d+)"/.exec(text)[1]), `ratio ${ratio}`);
  }
});

test("figures have names of their own, a bound where they have one, and an aim below it", () => {
  const all = [...figures, ...means];
  strictEqual(new Set(all.map(({ name }) => name)).size, all.length);
  // Monty runs less than Python: it is measured, and bounds nothing but what a process costs.
  for (const { name, target, aim } of all)
    ok(/monty/.test(name) && !name.startsWith("child_") ? target === undefined : target > 0 && (aim === undefined || aim < target), name);
  for (const { name, ours, samples } of figures) strictEqual(Boolean(ours.rounds), samples > 0, name);
});
process.exit(failed ? 1 : 0);
