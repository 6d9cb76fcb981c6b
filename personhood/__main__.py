"""`python -m personhood`."""

from personhood.cli import main

main()
