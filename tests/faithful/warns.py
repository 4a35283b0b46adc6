"""Warnings, as they are shown of the main module and of others, and with the options that python was given."""

import sys
import warnings


def old():
    warnings.warn("old", DeprecationWarning, stacklevel=2)


old()
warnings.warn("in the main module")
for _ in range(2):
    warnings.warn("once only, by its line", FutureWarning)
open(__file__)  # noqa: SIM115  (left open: a ResourceWarning, if they are on)
print(sys.warnoptions)
