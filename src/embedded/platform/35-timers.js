// Timers and queueMicrotask (HTML, "Timers", "Microtask queuing"), and the one queue of tasks behind them.
//
// The host drives it: shared.runTimers(now) runs at most one due task, so that the host can let microtasks run before
// the next, and gives the milliseconds until the next task is due: 0 where one ran or is due, -1 when none waits.
"use strict";

(function (host, shared) {
  const { globalThis, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, ReflectApply, TypeError } =
    shared.primordials;
  const { list, requireArguments } = shared;

  let heap = list(); // a binary heap of tasks, by deadline, then by the order in which they were queued
  let timers = new Map(); // id -> task
  let nextId = 1;
  let sequence = 0;
  let nesting = 0; // of the timer task that runs, as HTML counts it

  const before = (a, b) => a.deadline < b.deadline || (a.deadline === b.deadline && a.sequence < b.sequence);
  const put = (task, index) => {
    heap[index] = task;
    task.index = index;
  };
  const rise = (task, from) => {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(task, heap[parent])) break;
      put(heap[parent], index);
      index = parent;
    }
    put(task, index);
  };
  const sink = (task, from) => {
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], task)) break;
      put(heap[child], index);
      index = child;
    }
    put(task, index);
  };
  const enqueue = (task, delay) => {
    task.deadline = host.now() + delay;
    task.sequence = sequence++;
    rise(task, heap.length);
  };
  const dequeue = (task) => {
    const { index } = task;
    if (index < 0) return;
    task.index = -1;
    const last = heap[heap.length - 1];
    heap.length--;
    if (last === task) return;
    if (index > 0 && before(last, heap[(index - 1) >> 1])) rise(last, index);
    else sink(last, index);
  };

  const newTask = (callback) => ({
    __proto__: null,
    callback,
    args: noArguments,
    id: 0,
    period: -1, // >= 0: repeats
    nesting: 0,
    deadline: 0,
    sequence: 0,
    index: -1, // in the heap
  });
  const noArguments = list();

  const arm = (task, timeout) => {
    const delay = nesting > 5 && timeout < 4 ? 4 : timeout;
    task.nesting = nesting + 1;
    enqueue(task, delay);
  };

  const startTimer = (handler, timeout, args, repeat) => {
    // A string would be code; guests may not make code from strings.
    if (typeof handler !== "function") throw new TypeError("a timer's handler must be a function");
    const signed = timeout | 0;
    const delay = signed < 0 ? 0 : signed;
    const task = newTask(handler);
    task.args = args;
    task.id = nextId++;
    if (repeat) task.period = delay;
    MapPrototypeSet(timers, task.id, task);
    arm(task, delay);
    return task.id;
  };
  const stopTimer = (id) => {
    const task = MapPrototypeGet(timers, id | 0);
    if (!task) return;
    MapPrototypeDelete(timers, task.id);
    dequeue(task);
  };

  const run = (task) => {
    nesting = task.nesting;
    try {
      ReflectApply(task.callback, globalThis, task.args);
    } catch (error) {
      shared.reportError(error);
    }
    if (task.id !== 0 && MapPrototypeGet(timers, task.id) === task) {
      if (task.period >= 0) arm(task, task.period);
      else if (task.index < 0) MapPrototypeDelete(timers, task.id);
    }
    nesting = 0; // what runs next, a microtask or another call, is no timer's task
  };

  shared.runTimers = (now) => {
    let ran = shared.deliverAnswers !== null && shared.deliverAnswers(); // fetch/40-requests.js
    if (shared.deliverInvocations !== null && shared.deliverInvocations()) ran = true; // 76-callbacks.js
    if (heap.length > 0 && heap[0].deadline <= now) {
      const first = heap[0];
      dequeue(first);
      run(first);
      ran = true;
    }
    if (ran) return 0; // the microtasks of that may queue what comes before all that is here now
    return heap.length === 0 ? -1 : heap[0].deadline - now;
  };
  shared.pendingTimers = () => heap.length;
  shared.clearAllTimers = () => {
    heap = list();
    timers = new Map();
    nesting = 0;
  };
  // Runs steps of the platform's own as a task of theirs.
  shared.runAfter = (delay, callback) => enqueue(newTask(callback), delay);

  const runMicrotask = async (callback) => {
    await undefined;
    try {
      ReflectApply(callback, undefined, noArguments);
    } catch (error) {
      shared.reportError(error);
    }
  };

  const operations = {
    setTimeout(handler, timeout = 0, ...args) {
      requireArguments(arguments.length, 1, "setTimeout");
      return startTimer(handler, timeout, args, false);
    },
    setInterval(handler, timeout = 0, ...args) {
      requireArguments(arguments.length, 1, "setInterval");
      return startTimer(handler, timeout, args, true);
    },
    clearTimeout(id = 0) {
      stopTimer(id);
    },
    clearInterval(id = 0) {
      stopTimer(id);
    },
    queueMicrotask(callback) {
      requireArguments(arguments.length, 1, "queueMicrotask");
      if (typeof callback !== "function") throw new TypeError("queueMicrotask: the argument is not a function");
      runMicrotask(callback);
    },
    reportError(e) {
      requireArguments(arguments.length, 1, "reportError");
      shared.reportError(e);
    },
  };
  for (const name in operations) shared.defineOperation(operations[name]);
});
