import "./absent.js";
export const x = () => 1;
