// Compiles the official Semaphore.sol and what it needs; prints ABI, creation code and the places
// of library addresses in it, by contract, as JSON.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"

const require = createRequire(import.meta.url)
const solc = require("solc")
const packages = path.join(import.meta.dirname, "node_modules")

const root = "@semaphore-protocol/contracts"
const read = (name) => ({ content: readFileSync(path.join(packages, name), "utf8") })
const wanted = {
    [`${root}/Semaphore.sol`]: "Semaphore",
    [`${root}/base/SemaphoreVerifier.sol`]: "SemaphoreVerifier",
    "poseidon-solidity/PoseidonT3.sol": "PoseidonT3"
}
const outputs = ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences"]
const input = {
    language: "Solidity",
    sources: Object.fromEntries(Object.keys(wanted).map((name) => [name, read(name)])),
    settings: {
        optimizer: { enabled: true, runs: 200 },
        evmVersion: "shanghai",
        outputSelection: { "*": { "*": outputs } }
    }
}
const findImport = (imported) => ({ contents: read(imported).content })
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }))
const errors = (output.errors ?? []).filter(({ severity }) => severity === "error")
if (errors.length > 0) {
    throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"))
}
const compiled = {}
for (const [file, name] of Object.entries(wanted)) {
    const { abi, evm } = output.contracts[file][name]
    compiled[name] = { abi, bytecode: evm.bytecode.object, links: evm.bytecode.linkReferences }
}
process.stdout.write(JSON.stringify(compiled), () => process.exit(0))
