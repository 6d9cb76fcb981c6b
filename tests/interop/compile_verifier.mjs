// Compiles the official SemaphoreVerifier.sol; prints its ABI and creation code as JSON.
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"

const require = createRequire(import.meta.url)
const solc = require("solc")
const base = path.join(import.meta.dirname, "node_modules/@semaphore-protocol/contracts/base")

const read = (name) => ({ content: readFileSync(path.join(base, name), "utf8") })
const name = "SemaphoreVerifier.sol"
const input = {
    language: "Solidity",
    sources: { [name]: read(name) },
    settings: {
        optimizer: { enabled: true, runs: 200 },
        evmVersion: "shanghai",
        outputSelection: { [name]: { SemaphoreVerifier: ["abi", "evm.bytecode.object"] } }
    }
}
const findImport = (imported) => ({ contents: read(imported).content })
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }))
const errors = (output.errors ?? []).filter(({ severity }) => severity === "error")
if (errors.length > 0) {
    throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"))
}
const { abi, evm } = output.contracts[name].SemaphoreVerifier
process.stdout.write(JSON.stringify({ abi, bytecode: evm.bytecode.object }), () => process.exit(0))
