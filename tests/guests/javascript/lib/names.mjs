export const name = "nested";
