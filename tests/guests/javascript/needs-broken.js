import "./broken.js";
export const x = () => 1;
