export const twice = (value) => [value, value];
