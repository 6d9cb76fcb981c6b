// Asks the reference implementation: one JSON object on standard input, one on standard output.
import { Group, Identity, generateProof, verifyProof } from "@semaphore-protocol/core"
import { text } from "node:stream/consumers"

const identityOf = ({ privateKey }) =>
    new Identity(Uint8Array.from(Buffer.from(privateKey, "base64")))

const questions = {
    identity: (request) => {
        const identity = identityOf(request)
        return {
            export: identity.export(),
            imported: Identity.import(identity.export()).commitment.toString(),
            commitment: identity.commitment.toString(),
            secretScalar: identity.secretScalar.toString(),
            publicKey: identity.publicKey.map(String)
        }
    },

    signature: ({ message, signature, publicKey }) =>
        Identity.verifySignature(
            BigInt(message),
            { R8: signature.r8.map(BigInt), S: BigInt(signature.s) },
            publicKey.map(BigInt)
        ),

    group: ({ members, index }) => {
        const group = new Group(members.map(BigInt))
        const { root, leaf, index: path, siblings } = group.generateMerkleProof(index)
        return {
            root: root.toString(),
            leaf: leaf.toString(),
            index: path,
            siblings: siblings.map(String)
        }
    },

    prove: ({ members, message, scope, depth, wasm, zkey, ...rest }) => {
        const group = new Group(members.map(BigInt))
        return generateProof(identityOf(rest), group, message, scope, depth, { wasm, zkey })
    },

    verify: ({ proofs }) => Promise.all(proofs.map(verifyProof))
}

const { question, ...request } = JSON.parse(await text(process.stdin))
const answer = await questions[question](request)
// snarkjs leaves worker threads that would keep the process alive.
process.stdout.write(JSON.stringify(answer), () => process.exit(0))
