import "../../etc/passwd";
export const x = () => 1;
