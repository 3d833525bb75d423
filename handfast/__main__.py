"""`python -m handfast` is the command `handfast`."""

from handfast.run import console

console()
