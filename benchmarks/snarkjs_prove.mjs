// Prove with snarkjs, found from the working directory: node snarkjs_prove.mjs INPUT WASM ZKEY
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { groth16 } = createRequire(`${process.cwd()}/`)("snarkjs");
const [input, wasm, zkey] = process.argv.slice(2);
const { publicSignals } = await groth16.fullProve(JSON.parse(readFileSync(input)), wasm, zkey);
console.log(JSON.stringify(publicSignals));
process.exit(0); // its worker threads would wait
