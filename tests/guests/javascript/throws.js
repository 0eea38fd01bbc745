export const x = () => 1;
throw new Error("at import");
