// Starts the programs that give samples: ours and the peers'.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const WORK = "bench/workloads.py";

// node >= 20 keeps a snapshot of its own in every isolate, which isolated-vm can't do with.
const bareNode = Number(process.versions.node.split(".")[0]) >= 20 ? ["--no-node-snapshot"] : [];

// How each program is called; the first element is the program.
export function programs(build, peers) {
  const python = join(peers, "eryx/bin/python");
  const pyodide = ["--expose-gc", "bench/peers/pyodide_guest.mjs"];
  return {
    aardvark: [join(build, "aardvark"), "exec", "-c", "1+1"],
    aardvarkRun: [join(build, "aardvark"), "run", join(build, "bundles/hello.zip")],
    guest: [join(build, "bench_guest")],
    eryxProcess: [python, "-I", "bench/peers/eryx_process.py"],
    eryx: [python, "-I", "bench/peers/eryx_guest.py"],
    eryx16: [python, "-I", "bench/peers/eryx_guest.py"],
    bwrap: [python, "-I", "bench/peers/bwrap_guest.py"],
    monty: [python, "-I", "bench/peers/monty_guest.py"],
    montyProcess: [join(peers, "eryx/bin/monty"), "-c", "print(1+1)"],
    pyodide: [process.execPath, ...pyodide],
    pyodideSnapshot: [process.execPath, ...pyodide],
    pyodideProcess: [process.execPath, "bench/peers/pyodide_guest.mjs", "process"],
    isolatedVm: [process.execPath, ...bareNode, "bench/peers/isolated_vm_guest.cjs"],
  };
}

function environment(name, peers) {
  const snapshot = ["pyodideSnapshot", "pyodideProcess"].includes(name);
  return {
    ...process.env,
    PYODIDE: join(peers, "node_modules/pyodide"),
    PYODIDE_SNAPSHOT: snapshot ? join(peers, "pyodide.snapshot") : "",
    ISOLATED_VM: join(peers, "node_modules/isolated-vm"),
    ...(name.startsWith("eryx") && { ERYX_WARM_INSTANCES: name === "eryx16" ? "16" : "1" }),
  };
}

export class Failure extends Error {}

function parse(line, count, what) {
  const samples = line.trim().split(" ").map(Number);
  if (samples.length !== count || !samples.every((sample) => Number.isFinite(sample) && sample > 0))
    throw new Failure(`${what} gave '${line.slice(0, 80)}' for ${count} samples`);
  return samples;
}

export class Sides {
  constructor(build, peers) {
    this.peers = resolve(peers);
    this.programs = programs(resolve(build), this.peers);
  }

  // Runs a program to its end: what it printed, and how long it took from exec to exit.
  run(name, ...args) {
    const [program, ...fixed] = this.programs[name];
    const options = { env: environment(name, this.peers), encoding: "utf8" };
    const start = performance.now();
    const { status, signal, stdout, stderr, error } = spawnSync(program, [...fixed, ...args], options);
    const ms = performance.now() - start;
    if (status !== 0) {
      const why = error?.message ?? (stderr.trim() || `it ended with ${signal ?? status}`);
      throw new Failure(`${[program, ...fixed.slice(-1), ...args].join(" ")} failed: ${why}`);
    }
    return { stdout, ms };
  }

  // A whole process, which has to print 2 on its first line; or what the bundle gives, behind what it prints.
  process(name) {
    const { stdout, ms } = this.run(name);
    const lines = stdout.trim().split("\n");
    const right = name === "aardvarkRun" ? lines.at(-1).startsWith('{"greeting":') : lines[0].trim() === "2";
    if (!right) throw new Failure(`${name} printed '${stdout.trim()}' for 1+1`);
    return [ms];
  }

  // A process for one sample, which it takes itself.
  once(name, figure) {
    return parse(this.run(name, figure, "1").stdout, 1, `${name} ${figure}`);
  }

  // A process that warms up and then gives a round of samples whenever it is asked.
  async rounds(name, figure, count, pace = 0) {
    const [program, ...fixed] = this.programs[name];
    const work = figure.startsWith("work-") ? ["--work", WORK] : [];
    const slowly = pace ? ["--pace", String(pace)] : [];
    const child = spawn(program, [...fixed, figure, String(count), "--rounds", ...work, ...slowly], {
      env: environment(name, this.peers),
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.stdin.on("error", () => {}); // its end says more
    const ended = once(child, "close").catch((error) => [error.message]);
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async () => {
      const { value, done } = await answers.next();
      if (!done) return value;
      const [status, signal] = await ended;
      throw new Failure(`${name} ${figure} failed: ${stderr.trim() || `it ended with ${signal ?? status}`}`);
    };
    if ((await answer()) !== "ready") throw new Failure(`${name} ${figure} did not say that it is ready`);
    return {
      async sample() {
        child.stdin.write("\n");
        return parse(await answer(), count, `${name} ${figure}`);
      },
      async end() {
        child.stdin.end();
        await ended;
      },
    };
  }
}
