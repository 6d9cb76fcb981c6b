"""Deduplication by three parties, none of which can see a template: docs/private-matching.md."""
