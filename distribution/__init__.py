"""The chain: deployment, publisher, claims and the local nodes. Knows no face and no person."""
