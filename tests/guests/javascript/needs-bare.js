import "left-pad";
export const x = () => 1;
