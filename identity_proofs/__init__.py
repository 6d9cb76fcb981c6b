"""Semaphore v4: identities, groups, proofs and their verification. Knows no face and no network."""
