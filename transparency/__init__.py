"""The decision log: what was decided, in an order that nobody can change unnoticed.

An append-only Merkle log after RFC 6962 and RFC 9162, with checkpoints in the formats of C2SP. It
knows neither faces nor identities nor the chain: its leaves hold codes, hours and salted hashes.
"""
