export { name } from "../names.mjs";
