"""The audit report: what a gallery's records say, for people and for programs.

`sources` reads, `performance`, `operation` and `claims` each make sections of it, `document` puts
them together and compares, `page` and `pdf` show them.
"""
