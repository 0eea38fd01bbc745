// The smallest useful bundle: a handler that greets whom its input names.

export function hello(name) {
  const who = name === undefined || name === null ? "world" : String(name);
  console.log(`hello from JavaScript, ${who}`);
  return { greeting: `Hello, ${who}!`, language: "javascript" };
}
