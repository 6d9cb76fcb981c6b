"""What verifying Semaphore proofs costs: `python -m benchmarks.verifier [--json]`.

In one process, in CPU seconds: the reference (py_ecc) on one proof, and the kernel and zksnake on
single proofs and on batches. Proofs of several depths come from the test vectors; no circuit files
are needed.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial

from identity_proofs import groth16_fast, groth16_kernel, groth16_reference
from identity_proofs.proof import SemaphoreProof
from identity_proofs.verification_key import VerificationKey
from identity_proofs.verifier import ExpectedProof, verify_batch, verify_proof
from tests.conformance.vectors_reader import read_vectors

BATCHES = (8, 32, 128)
BAR = 2e-3  # CPU seconds a proof in a batch of 32


def expected_proofs() -> list[ExpectedProof]:
    vectors = read_vectors("proofs")
    expected = []
    for vector in vectors["proofs"]:
        proof = SemaphoreProof.from_dict(vector["proof"])
        depth = proof.merkle_tree_depth
        key = VerificationKey.from_json(json.dumps(vectors["vkeys"][str(depth)]), depth)
        roots = {proof.merkle_tree_root}
        expected.append(ExpectedProof(proof, roots, proof.scope, proof.message, key))
    return expected


def cpu_seconds(step: Callable[[], None], repeats: int) -> float:
    """Return the least CPU time of a call, all threads, after one call to fill the caches."""
    step()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return min(times)


def measure() -> dict[str, float]:
    """Return CPU seconds a proof for each way of verifying."""
    proofs = expected_proofs()
    one = vars(proofs[0])
    results = {
        "reference, one": cpu_seconds(
            lambda: verify_proof(**one, groth16=groth16_reference.all_hold), 2
        ),
    }
    for name, groth16 in (("kernel", groth16_kernel.all_hold), ("zksnake", groth16_fast.all_hold)):
        results[f"{name}, one"] = cpu_seconds(partial(verify_proof, **one, groth16=groth16), 20)
        for size in BATCHES:
            batch = [proofs[i % len(proofs)] for i in range(size)]
            seconds = cpu_seconds(partial(verify_batch, batch, groth16=groth16), 5)
            results[f"{name}, batch of {size}"] = seconds / size
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
    as_json = parser.parse_args().json
    results = measure()
    if as_json:
        print(json.dumps(results))
        return
    reference = results["reference, one"]
    for name, seconds in results.items():
        ratio = reference / seconds
        print(f"{name:<22}{seconds * 1e3:>10.2f} ms CPU a proof{ratio:>10.0f} x the reference")
    met = "met" if results["kernel, batch of 32"] <= BAR else "MISSED"
    print(f"bar: {BAR * 1e3:.0f} ms CPU a proof in a batch of 32: {met}")


if __name__ == "__main__":
    main()
