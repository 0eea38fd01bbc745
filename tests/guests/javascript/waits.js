// Evaluation itself awaits.
const ready = await new Promise((resolve) => setTimeout(() => resolve("ready"), 5));
export const state = () => ready;
