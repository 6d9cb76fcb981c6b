"""The whole loop in one run: a chain, the service, people, duplicates, claims, a report."""
