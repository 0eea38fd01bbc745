// A classic script: no import, no export.
const declared = "declared";
let calls = 0;
function handler(value) {
  return [declared, value, ++calls];
}
async function awaited(value) {
  return { awaited: value };
}
