import { absent } from "./lib/twice.js";
export const x = () => absent;
