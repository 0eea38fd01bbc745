// What is measured against whom, and what the ratio may be at most.
//   name, text     of the figure
//   against        the peer, for people
//   ours, theirs   how a sample comes about (see `sides` in run.mjs)
//   samples        samples of a round, for figures that are measured in rounds
//   unit           ms or KiB
//   target, aim    the ratio at most, and the ratio hoped for; none for a peer that does less than we do

const eryx = (figure) => ({ rounds: ["eryx", figure] });
const isolatedVm = (figure) => ({ rounds: ["isolatedVm", figure] });
const guest = (figure) => ({ rounds: ["guest", figure] });

const monty = (figure) => ({ rounds: ["monty", figure] });

// Eryx hands out sandboxes that it makes ahead, one or as many as it is told, so how often it is asked counts: as fast as it
// answers, or a call each 5 ms, which gives it the time to make the next.
const PACE = 5;
const modes = [
  ["", "Eryx, back to back", "eryx", 0],
  ["_16", "Eryx, 16 made ahead, back to back", "eryx16", 0],
  ["_paced", "Eryx, a call each 5 ms", "eryx", PACE],
  ["_paced_16", "Eryx, 16 made ahead, a call each 5 ms", "eryx16", PACE],
];

const cleanPython = (name, text, target, aim) => {
  const figure = `python-clean-${name}`;
  const common = { text: `clean Python call: reset + ${text}`, samples: 20, unit: "ms" };
  return [
    ...modes.map(([suffix, against, side, pace]) => ({
      ...common,
      name: `python_clean_${name}${suffix}`,
      against,
      ours: { ...guest(figure), pace },
      theirs: { rounds: [side, figure], pace },
      ...(suffix ? { target: 1 } : { target, aim }),
    })),
    {
      ...common,
      name: `python_clean_${name}_monty`,
      against: "Monty: a session of its pool",
      ours: guest(figure),
      theirs: monty(figure),
    },
  ];
};

export const figures = [
  {
    name: "process_eryx",
    text: "fresh process: exec, first Python result, exit",
    against: "Eryx: one Sandbox, one execute",
    ours: { process: "aardvark" },
    theirs: { process: "eryxProcess" },
    unit: "ms",
    target: 0.85,
    aim: 0.6,
  },
  {
    name: "process_pyodide",
    text: "fresh process: exec, first Python result, exit",
    against: "node + Pyodide with its snapshot",
    ours: { process: "aardvark" },
    theirs: { process: "pyodideProcess" },
    unit: "ms",
    target: 0.3,
  },
  {
    name: "process_monty",
    text: "fresh process: exec, first Python result, exit",
    against: "Monty's command",
    ours: { process: "aardvark" },
    theirs: { process: "montyProcess" },
    unit: "ms",
  },
  {
    name: "process_bundle",
    text: "fresh process: a bundle's handler, exit",
    against: "ourselves: exec -c",
    ours: { process: "aardvarkRun" },
    theirs: { process: "aardvark" },
    unit: "ms",
    target: 1.15,
  },
  {
    name: "python_first_reset",
    text: "first reset of an isolate, after the echo",
    against: "ourselves: later resets",
    ours: guest("python-first-reset"),
    theirs: guest("python-reset"),
    samples: 5,
    unit: "ms",
    target: 2.0,
  },
  {
    name: "python_exec_first_reset",
    text: "first reset of an isolate, after inline code",
    against: "ourselves: later resets",
    ours: guest("python-exec-first-reset"),
    theirs: guest("python-exec-reset"),
    samples: 5,
    unit: "ms",
    target: 2.0,
  },
  {
    name: "python_threads",
    text: "reset + 1 KiB JSON echo on two threads: time a call",
    against: "ourselves: on one thread",
    ours: guest("python-clean-echo-2-threads"),
    theirs: guest("python-clean-echo-1-thread"),
    samples: 1,
    unit: "ms",
    target: 0.556,
  },
  {
    name: "javascript_large",
    text: "clean call of a 700 KiB bundle, prepared ahead",
    against: "ourselves: not prepared",
    ours: guest("javascript-large-prepared-echo"),
    theirs: guest("javascript-large-clean-echo"),
    samples: 5,
    unit: "ms",
    target: 0.1,
  },
  ...cleanPython("exec", "x=1+1", 0.3, 0.15),
  ...cleanPython("echo", "1 KiB JSON echo", 0.1, 0.05),
  {
    name: "python_reset",
    text: "reset alone, after the echo",
    against: "Eryx: Session.reset",
    ours: guest("python-reset"),
    theirs: eryx("python-reset"),
    samples: 10,
    unit: "ms",
    target: 0.1,
    aim: 0.03,
  },
  {
    name: "python_second",
    text: "second isolate of a process, to its first result",
    against: "node + Pyodide with its snapshot",
    ours: { once: ["guest", "python-second"] },
    theirs: { once: ["pyodideSnapshot", "second"] },
    unit: "ms",
    target: 0.4,
    aim: 0.2,
  },
  {
    name: "python_echo",
    text: "warm 1 KiB JSON echo, Python",
    against: "Eryx: Session with a handler",
    ours: guest("python-echo"),
    theirs: eryx("python-echo"),
    samples: 50,
    unit: "ms",
    target: 0.15,
  },
  {
    name: "python_echo_monty",
    text: "warm 1 KiB JSON echo, Python",
    against: "Monty: a session with a handler",
    ours: guest("python-echo"),
    theirs: monty("python-echo"),
    samples: 50,
    unit: "ms",
  },
  {
    name: "javascript_clean",
    text: "clean JavaScript call: new realm + 1+1",
    against: "isolated-vm: fresh isolate + 1+1",
    ours: guest("javascript-clean"),
    theirs: isolatedVm("javascript-fresh"),
    samples: 20,
    unit: "ms",
    target: 0.8,
    aim: 0.3,
  },
  {
    name: "javascript_clean_prepared",
    text: "clean JavaScript call, the realm made ahead",
    against: "isolated-vm: fresh isolate + 1+1",
    ours: guest("javascript-clean-prepared"),
    theirs: isolatedVm("javascript-fresh"),
    samples: 20,
    unit: "ms",
    target: 0.8,
    aim: 0.3,
  },
  {
    name: "javascript_fresh",
    text: "fresh JavaScript isolate + 1+1, whole platform",
    against: "isolated-vm: fresh isolate (bare) + 1+1",
    ours: guest("javascript-fresh"),
    theirs: isolatedVm("javascript-fresh"),
    samples: 10,
    unit: "ms",
    target: 2.0,
    aim: 1.0,
  },
  {
    name: "javascript_echo",
    text: "warm 1 KiB JSON echo, JavaScript",
    against: "isolated-vm: applySync",
    ours: guest("javascript-echo"),
    theirs: isolatedVm("javascript-echo"),
    samples: 500,
    unit: "ms",
    target: 2.0,
    aim: 1.0,
  },
  {
    name: "python_memory",
    text: "private memory of the 10th live Python isolate",
    against: "node + Pyodide",
    ours: { once: ["guest", "python-memory"] },
    theirs: { once: ["pyodide", "memory"] },
    unit: "KiB",
    target: 0.35,
    aim: 0.25,
  },
  {
    name: "python_rss",
    text: "RSS of one isolate after its first result",
    against: "node + Pyodide",
    ours: { once: ["guest", "python-rss"] },
    theirs: { once: ["pyodide", "rss"] },
    unit: "KiB",
    target: 0.55,
  },
  ...["fib", "nbody", "nested", "json", "sort", "regex"].map((work) => ({
    name: `work_${work}`,
    text: `work in the guest: ${work === "nested" ? "nested loops" : work}`,
    against: "Eryx: Session.execute",
    ours: guest(`work-${work}`),
    theirs: eryx(`work-${work}`),
    samples: 1,
    unit: "ms",
    target: 1.0,
    group: "work",
  })),
  ...["fib", "nbody", "nested", "json", "sort", "regex"].map((work) => ({
    name: `work_${work}_monty`,
    text: `work in the guest: ${work === "nested" ? "nested loops" : work}`,
    against: "Monty",
    ours: guest(`work-${work}`),
    theirs: monty(`work-${work}`),
    samples: 1,
    unit: "ms",
    group: "work_monty",
  })),
];

// A row over the ratios of a group.
export const means = [
  {
    name: "work",
    group: "work",
    text: "work in the guest: geometric mean",
    against: "Eryx: Session.execute",
    target: 0.75,
  },
  {
    name: "work_monty",
    group: "work_monty",
    text: "work in the guest: geometric mean",
    against: "Monty",
  },
];
