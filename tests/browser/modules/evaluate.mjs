// Calls one function of the page's pure modules: JSON in, JSON out. For comparison with Python.
// {"module", "function", "args"}; {"bytes": base64} stands for a Uint8ClampedArray,
// {"floats": base64} for a Float32Array.

const PAGE = new URL("../../../enrollment/kiosk_page/", import.meta.url);

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { module, function: name, args } = JSON.parse(Buffer.concat(chunks), (_, value) => {
  if (typeof value?.bytes === "string") {
    return new Uint8ClampedArray(Buffer.from(value.bytes, "base64"));
  }
  if (typeof value?.floats === "string") {
    return new Float32Array(new Uint8Array(Buffer.from(value.floats, "base64")).buffer);
  }
  return value;
});
const result = await (await import(new URL(module, PAGE)))[name](...args);
process.stdout.write(JSON.stringify(result));
